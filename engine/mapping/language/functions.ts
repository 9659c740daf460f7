// The functions that an expression can pass its value through: `PID-8 | table 0001-administrative-sex`.
import fhirpath from 'fhirpath';
import { decimal, isResource } from '../../fhir/exact-json.ts';
import { readComparator, readDecimal, shiftDecimal, withoutComparator } from '../decimal.ts';
import { cleared } from '../cleared.ts';
import { deterministicId } from '../deterministic-id.ts';
import { offsetOf, plusMinutes, toFhirDate, toFhirDateTime } from '../hl7-time.ts';
import type { Expression, Made, Scope } from '../scope.ts';
import { look, type Tables } from './tables.ts';

export interface Argument {
  readonly text: string;
  readonly value: Expression;
}

/** Compiles a call: what comes in, what it was given, the tables. Throws SyntaxError for arguments that it cannot use. */
export type MakeFunction = (input: Expression, given: readonly Argument[], tables: Tables) => Expression;

type OfText = (text: string, given: readonly string[], scope: Scope) => unknown;

/** A function of one text; nothing stays nothing. */
const ofText =
  (apply: OfText): MakeFunction =>
  (input, given) =>
  (scope) => {
    const value = first(input(scope));
    if (typeof value !== 'string') return undefined;
    return apply(
      value,
      given.map(({ value: of }) => asText(first(of(scope)))),
      scope,
    );
  };

const first = (value: unknown): unknown => (Array.isArray(value) ? (value[0] as unknown) : value);
const asText = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
const asList = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? (value as readonly unknown[]) : value === undefined ? [] : [value];

const table: MakeFunction = (input, [name, column], tables) => {
  const rows = tables.rows(name?.text ?? '');
  return (scope) => {
    const key = first(input(scope));
    return typeof key === 'string' ? look(rows, key, column?.text) : undefined;
  };
};

/** Compiled once; run only when there is something to run it over. */
const overResources: MakeFunction = (input, [expression]) => {
  const compiled = fhirpath.compile(expression?.text ?? '');
  return (scope) => {
    const resources = asList(input(scope)).map(resourceOf);
    if (resources.length === 0) return undefined;
    // fhirpath writes on what it is given.
    const found = compiled(JSON.parse(JSON.stringify(resources)) as object[]) as unknown[];
    return found.length === 0 ? undefined : found;
  };
};

const isMade = (value: unknown): value is Made =>
  typeof value === 'object' && value !== null && 'reference' in value && 'resource' in value;
const resourceOf = (value: unknown): unknown => (isMade(value) ? value.resource : value);

const reference: MakeFunction = (input) => (scope) => {
  const of = first(input(scope));
  if (isMade(of)) return of.reference;
  return isResource(of) ? `${of.resourceType}/${of.id ?? ''}` : undefined;
};

/** Those of some resources that carry an identifier. */
const identified: MakeFunction =
  (input, [system, value]) =>
  (scope) => {
    const [inSystem, number] = [first(system?.value(scope)), first(value?.value(scope))];
    const found = asList(input(scope)).filter((of) => carries(resourceOf(of), inSystem, number));
    return found.length === 0 ? undefined : found;
  };

function carries(resource: unknown, system: unknown, value: unknown): boolean {
  if (value === undefined || !isResource(resource)) return false;
  return asList(resource['identifier']).some((one) => {
    const identifier = one as { readonly system?: unknown; readonly value?: unknown };
    return identifier.system === system && identifier.value === value;
  });
}

/** The members of a list but those given. */
const except: MakeFunction = (input, given) => (scope) => {
  const barred = given.map(({ value }) => first(value(scope)));
  const left = asList(input(scope)).filter((member) => !barred.includes(member));
  return left.length === 0 ? undefined : left;
};

/** Numbers and texts joined into one key: what is nothing counts as '' and keeps its place. */
const id: MakeFunction = (input, given) => (scope) =>
  deterministicId([input, ...given.map(({ value }) => value)].map((part) => asText(first(part(scope)))));

const joined: MakeFunction =
  (input, [separator]) =>
  (scope) =>
    joinedBy(separator?.text ?? ' ', input(scope));

function joinedBy(separator: string, value: unknown): string | undefined {
  const parts = asList(value).filter((part) => typeof part === 'string');
  return parts.length === 0 ? undefined : parts.join(separator);
}

const count: MakeFunction = (input) => (scope) => String(asList(input(scope)).length);

/** A capture of a pattern that is compiled once. */
const capture: MakeFunction = (input, [pattern]) => {
  const compiled = new RegExp(pattern?.text ?? '');
  return (scope) => {
    const value = first(input(scope));
    const found = typeof value === 'string' ? compiled.exec(value) : null;
    return found?.[1] ?? found?.[0];
  };
};

const isThere = (value: unknown): boolean => first(value) !== undefined && first(value) !== '';

/** A capture may cut a character in two: half of one stands in no URI. */
const inUri = (text: string): string => encodeURIComponent(text.toWellFormed());

const escaped = (text: string): string => inUri(text.replaceAll(/[\\,|$]/g, '\\$&'));

/** By name; each says what it does to its value. */
export const functions: Readonly<Record<string, MakeFunction>> = {
  /** `| table NAME column` */
  table,
  /** `| fhirpath 'expression'` over resources: a list. */
  fhirpath: overResources,
  /** The reference of a resource that was made, or is known. */
  reference,
  /** `| identified system value`: the resources that carry this identifier. */
  identified,
  /** `| except a b`: the list without these. */
  except,
  /** A deterministic id of the value and the arguments. */
  id,
  join: joined,
  count,
  /** `| same x`: the value, when x is equal to it. */
  same: ofText((text, [other]) => (text === other ? text : undefined)),
  /** `| capture 'pattern'`: the first group, or the whole match. */
  capture,
  /** `| delete`: when there is a value, what is stored in this place is to be deleted (in resources that are merged). */
  delete: (input) => (scope) => (isThere(input(scope)) ? cleared : undefined),
  lower: ofText((text) => text.toLowerCase()),
  /** A code has no runs of white space. https://hl7.org/fhir/R4/datatypes.html#code */
  code: ofText((text) => text.replaceAll(/\s+/g, ' ')),
  /** Made fit to stand in a URI. */
  uri: ofText(inUri),
  /** Made fit to stand as a value in a search. https://hl7.org/fhir/R4/search.html#escaping */
  searchValue: ofText(escaped),
  before: ofText((text, [separator = '']) => text.split(separator)[0]),
  after: ofText((text, [separator = '']) =>
    text.includes(separator) ? text.slice(text.indexOf(separator) + separator.length) : undefined,
  ),
  /** `| number mark grouping`: the number that the text says, digits as written; a comparator before it is passed over. */
  number: ofText((text, [mark = '.', grouping = '']) =>
    readDecimal(withoutComparator(text), mark || '.', grouping),
  ),
  comparator: ofText(readComparator),
  /** Without the white space that senders fold it with; nothing when it is no base64. */
  base64: ofText((text) => {
    const data = text.replaceAll(/\s/g, '');
    return data.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(data) ? data : undefined;
  }),
  /** × 10^n, exactly. */
  shift: ofText((text, [exponent = '0']) => shiftDecimal(text, Number(exponent) || 0)),
  /** As a JSON number with these digits. */
  decimal: ofText((text) => decimal(text)),
  date: ofText(toFhirDate),
  /** `| dateTime zone`: `zone` for times without an offset. */
  dateTime: ofText((text, [zone = 'Z'], { run }) => toFhirDateTime(text, run.zoneOf(zone || 'Z'))),
  offset: ofText(offsetOf),
  /** `| plusMinutes n`: a dateTime so many minutes later; nothing when n is nothing. */
  plusMinutes: ofText((text, [minutes = '']) =>
    minutes === '' ? undefined : plusMinutes(text, Number(minutes)),
  ),
  /** `| limit n`: at most so many members of a list. */
  limit: (input, [most]) => {
    const count = Number(most?.text);
    if (!Number.isSafeInteger(count)) throw new SyntaxError('limit takes a number');
    return (scope) => {
      const kept = asList(input(scope)).slice(0, count);
      return kept.length === 0 ? undefined : kept;
    };
  },
  /** A list as lines of one text. */
  lines: (input) => (scope) => joinedBy('\n', input(scope)),
  toBase64: ofText((text) => Buffer.from(text, 'utf8').toString('base64')),
  /** `| if x`: the value, when x has one. */
  if:
    (input, [other]) =>
    (scope) =>
      isThere(other?.value(scope)) ? input(scope) : undefined,
  /** `| unless x`: the value, when x has none. */
  unless:
    (input, [other]) =>
    (scope) =>
      isThere(other?.value(scope)) ? undefined : input(scope),
};
