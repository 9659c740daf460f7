// One `key=value` of a search URL as a condition: a parameter with its modifier, a chain, `_has`, or `_list`.
// https://hl7.org/fhir/R4/search.html#chaining and #has
import { badRequest, Refusal } from '../../kernel/outcomes.ts';
import { anyOf, leaf, not } from '../condition.ts';
import type { CompiledParameter } from '../definitions/compiled.ts';
import { isFollowed, linksOf, type Link } from '../links.ts';
import { dateSpan } from '../parameters/date.ts';
import { splitEscaped, unescaped } from '../parameters/escapes.ts';
import { readParameter } from '../parameters/modifiers.ts';
import type { ReadingOptions } from '../parameters/reader.ts';
import { targetTypes } from '../parameters/reference.ts';
import type { Condition } from '../plan.ts';
import { listed, readLists } from './lists.ts';

/** The search parameters of all types, by their codes. */
export interface ParameterTable {
  readonly types: readonly string[];
  isType(name: string): boolean;
  find(type: string, code: string): CompiledParameter | undefined;
  codes(type: string): readonly string[];
  /** Whether resources of the type are referred to by canonical url. */
  isNamedByUrl(type: string): boolean;
}

/** A chain over untyped references multiplies: so many links may be tried for one key. */
const maximumLinks = 1000;

/** Links one after another. */
export const maximumDepth = 10;

/**
 * Throws Refusal `unknown-parameter` for a parameter or modifier that the type does not have, `bad-request` for a value that cannot
 * be read.
 */
export function readCondition(
  type: string,
  key: string,
  value: string,
  table: ParameterTable,
  options: ReadingOptions,
): Condition {
  if (key.split(/\.|_has:/).length > maximumDepth + 1) {
    throw badRequest(`a chain has at most ${maximumDepth} links`);
  }
  return new ConditionReader(table, options).read(type, key, value);
}

export class ConditionReader {
  readonly #table: ParameterTable;
  readonly #options: ReadingOptions;
  #tried = 0;

  constructor(table: ParameterTable, options: ReadingOptions) {
    this.#table = table;
    this.#options = options;
  }

  read(type: string, key: string, value: string): Condition {
    if (key.startsWith('_has:')) return this.#reverse(type, key, value);
    const dot = key.indexOf('.');
    if (dot >= 0) {
      return this.chain(type, key.slice(0, dot), (target) => this.read(target, key.slice(dot + 1), value));
    }
    const [code, modifier] = splitModifier(key);
    const own = Object.hasOwn(ownRows, code) ? ownRows[code] : undefined;
    if (own !== undefined) return own(type, modifier, value, this.#options, this.#table);
    return readParameter(this.parameter(type, code), modifier, value, this.#options);
  }

  /** `subject:Patient.name`, `subject.name`: of the types that it may point at, those that know the rest. */
  chain(type: string, link: string, rest: (target: string) => Condition): Condition {
    const [code, asked] = splitModifier(link);
    const parameter = this.#pointing(type, code);
    const targets = this.#targets(parameter).filter((target) => asked === '' || target === asked);
    if (targets.length === 0) {
      throw new Refusal('unknown-parameter', `${type}.${code} does not point at ${asked.slice(0, 64)}`, code);
    }
    const ways = this.#known(targets, (target) => {
      const where = rest(target);
      return this.#links(parameter, target).map((link): Condition => ({
        op: 'points-at',
        ...link,
        target,
        where,
      }));
    });
    return anyOf(ways.flat());
  }

  #links(parameter: CompiledParameter, target: string): readonly Link[] {
    return linksOf(parameter, target, this.#table.isNamedByUrl(target));
  }

  /** The types to which it can be followed. */
  #targets(parameter: CompiledParameter): readonly string[] {
    return targetTypes(parameter, this.#options).filter(
      (target) => this.#links(parameter, target).length > 0,
    );
  }

  /** `_has:Observation:patient:code`. */
  #reverse(type: string, key: string, value: string): Condition {
    const [, source = '', code = '', ...more] = key.split(':');
    const rest = more.join(':');
    if (!this.#table.isType(source) || rest === '') {
      throw badRequest('_has is written _has:Type:reference-parameter:parameter', '_has');
    }
    const parameter = this.#pointing(source, code);
    if (!this.#targets(parameter).includes(type)) {
      throw new Refusal('unknown-parameter', `${source}.${code} does not point at ${type}`, '_has');
    }
    this.#count();
    const where = this.read(source, rest, value);
    return anyOf(
      this.#links(parameter, type).map((link) => ({ op: 'pointed-at-by', source, ...link, where })),
    );
  }

  /** What is found for the types that know the parameter; where none does, the refusal of the first. */
  #known<Found>(types: readonly string[], condition: (type: string) => Found): readonly Found[] {
    const found: Found[] = [];
    let refused: Refusal | undefined;
    for (const type of types) {
      this.#count();
      try {
        found.push(condition(type));
      } catch (error) {
        if (!(error instanceof Refusal) || error.code !== 'unknown-parameter') throw error;
        refused ??= error;
      }
    }
    if (found.length === 0 && refused !== undefined) throw refused;
    return found;
  }

  #count(): void {
    this.#tried += 1;
    if (this.#tried > maximumLinks) {
      throw badRequest('the chain has too many ways: name the types, as in subject:Patient.name');
    }
  }

  #pointing(type: string, code: string): CompiledParameter {
    const parameter = this.parameter(type, code);
    if (isFollowed(parameter)) return parameter;
    throw new Refusal('unknown-parameter', `${type}.${code} is no reference that can be followed`, code);
  }

  parameter(type: string, code: string): CompiledParameter {
    const parameter = this.#table.find(type, code);
    if (parameter === undefined) throw unknownParameter(this.#table, type, code);
    return parameter;
  }
}

/** Says which parameters there are. */
export const unknownParameter = (table: ParameterTable, type: string, code: string): Refusal =>
  new Refusal(
    'unknown-parameter',
    `${type} has no search parameter ${code.slice(0, 64)}; it has: ${table.codes(type).join(', ')}`,
    code.slice(0, 64),
  );

function splitModifier(key: string): readonly [code: string, modifier: string] {
  const colon = key.indexOf(':');
  return colon < 0 ? [key, ''] : [key.slice(0, colon), key.slice(colon + 1)];
}

const noModifier = (code: string, modifier: string): Refusal =>
  new Refusal(
    'unknown-parameter',
    `the modifier :${modifier.slice(0, 64)} is not supported for ${code}`,
    code,
  );

type OwnReader = (
  type: string,
  modifier: string,
  value: string,
  options: ReadingOptions,
  table: ParameterTable,
) => Condition;

/** Parameters that every type has, and that no index entries of its own answer. */
const ownRows: Readonly<Record<string, OwnReader>> = {
  _id: readId,
  _lastUpdated: readLastUpdated,
  _list: readList,
};

const maximumIds = 1000;

function readId(_type: string, modifier: string, value: string): Condition {
  if (modifier === 'missing') return always('_id', value);
  if (modifier !== '' && modifier !== 'not') throw noModifier('_id', modifier);
  const values = splitEscaped(value, ',').map(unescaped);
  if (values.length > maximumIds) throw badRequest(`_id has more than ${maximumIds} alternatives`, '_id');
  const condition = leaf({ kind: 'id', values });
  return modifier === 'not' ? not(condition) : condition;
}

function readLastUpdated(_type: string, modifier: string, value: string, options: ReadingOptions): Condition {
  if (modifier === 'missing') return always('_lastUpdated', value);
  if (modifier !== '') throw noModifier('_lastUpdated', modifier);
  const parameter = { code: '_lastUpdated' };
  return anyOf(
    splitEscaped(value, ',').map((one) =>
      leaf({ kind: 'lastUpdated', ...dateSpan(parameter, one, options) }),
    ),
  );
}

/** Every resource has it. */
function always(code: string, missing: string): Condition {
  if (missing !== 'true' && missing !== 'false') {
    throw badRequest(`the value of ${code} cannot be read: expected true or false after :missing`, code);
  }
  return missing === 'true' ? { op: 'none' } : { op: 'every' };
}

function readList(
  type: string,
  modifier: string,
  value: string,
  options: ReadingOptions,
  table: ParameterTable,
): Condition {
  if (modifier !== '') throw noModifier('_list', modifier);
  const reader = new ConditionReader(table, options);
  const asked = readLists(value, (of, key, text) => reader.read(of, key, text));
  return listed(
    type,
    asked,
    (table.find('List', 'item')?.sets ?? []).map(({ name }) => name),
  );
}
