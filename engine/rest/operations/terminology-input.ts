// What the operations of terminology are asked: by query, or as Parameters with codings and resources in them.
// https://hl7.org/fhir/R4/terminology-service.html
import type { FhirResource } from '../../fhir/resource.ts';
import { badRequest, Refusal } from '../../kernel/outcomes.ts';
import type { Coded } from '../../terminology/validate-code.ts';
import type { Exchange, Interaction, Operation } from '../interaction.ts';
import { sentParameters } from './parameters.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface TerminologyInput {
  text(name: string): string | undefined;
  /** Throws Refusal `bad-request` for what is no whole number. */
  whole(name: string): number | undefined;
  coding(name: string): Coded | undefined;
  /** The codings of a CodeableConcept. */
  codings(name: string): readonly Coded[] | undefined;
  resource(name: string, type: string): FhirResource | undefined;
}

/** What asks for details that there are none of here: taken, and without effect. */
const harmless = [
  'date', 'displayLanguage', 'designation', 'includeDesignations', 'includeDefinition', 'activeOnly', 'excludeNested', 'excludeNotForUI',
  'excludePostCoordinated', 'abstract', 'property',
]; // prettier-ignore

/** Throws Refusal `unknown-parameter` for other names than these, `bad-request` for what cannot be read. */
export function terminologyInput(exchange: Exchange, names: readonly string[]): TerminologyInput {
  const query = new URLSearchParams(exchange.query);
  const sent = exchange.body.length === 0 ? new Map<string, Fields>() : sentParameters(exchange);
  for (const name of [...query.keys(), ...sent.keys()]) {
    if (names.includes(name) || harmless.includes(name)) continue;
    throw new Refusal('unknown-parameter', `this takes ${names.join(', ')}`);
  }
  const text = (name: string): string | undefined =>
    primitiveOf(sent.get(name)) ?? query.get(name) ?? undefined;
  return {
    text,
    whole: (name) => wholeOf(text(name), name),
    coding: (name) => {
      const coding = sent.get(name)?.['valueCoding'];
      return coding === undefined ? undefined : codedOf(coding, name);
    },
    codings: (name) => {
      const concept = sent.get(name)?.['valueCodeableConcept'];
      if (concept === undefined) return undefined;
      const list = fieldsOf(concept)['coding'];
      return Array.isArray(list) ? list.map((one) => codedOf(one, name)) : [];
    },
    resource: (name, type) => resourceOf(sent.get(name)?.['resource'], name, type),
  };
}

function primitiveOf(parameter: Fields | undefined): string | undefined {
  const value = Object.entries(parameter ?? {}).find(([key]) => key.startsWith('value'))?.[1];
  const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return isPlain ? String(value) : undefined;
}

function wholeOf(written: string | undefined, name: string): number | undefined {
  if (written === undefined) return undefined;
  if (!/^\d{1,9}$/.test(written)) throw badRequest(`${name} is a whole number, 0 or more`, name);
  return Number(written);
}

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};

function codedOf(value: unknown, name: string): Coded {
  const { system, code, display } = fieldsOf(value);
  if (typeof code !== 'string') throw badRequest('a coding has a code', name);
  return {
    code,
    system: typeof system === 'string' ? system : undefined,
    display: typeof display === 'string' ? display : undefined,
  };
}

function resourceOf(value: unknown, name: string, type: string): FhirResource | undefined {
  if (value === undefined) return undefined;
  const fields = fieldsOf(value);
  if (fields['resourceType'] !== type) throw badRequest(`${name} is a ${type}`, name);
  return fields as FhirResource;
}

/** `url` with the version of another parameter, as one canonical. */
export const canonicalOf = (url: string, version: string | undefined): string =>
  version === undefined || url.includes('|') ? url : `${url}|${version}`;

/** An operation of terminology at one of its places. */
interface TerminologyOperation {
  readonly name: string;
  readonly path: '/:type/:id' | '/:type';
  readonly answer: Interaction['answer'];
  /** What the rows tell of in the CapabilityStatement. */
  readonly operations?: readonly Operation[];
}

/** By GET, and by POST with Parameters. */
export function terminologyRows(one: TerminologyOperation): readonly Interaction[] {
  const { name, path, answer, operations: [first, second] = [] } = one;
  const row = { name, path: `${path}/$${name}`, access: 'r', answer } as const;
  return [
    { ...row, method: 'GET', takes: 'nothing', ...told(first) },
    { ...row, method: 'POST', takes: 'resource', ...told(second) },
  ];
}

const told = (operation: Operation | undefined): Pick<Interaction, 'capability'> =>
  operation === undefined ? {} : { capability: { level: 'type', codes: [], operation } };

/** What is asked about: throws Refusal `bad-request` where none is. */
export function codedIn(input: TerminologyInput): readonly Coded[] {
  const coding = input.coding('coding');
  if (coding !== undefined) return [coding];
  const codings = input.codings('codeableConcept');
  if (codings !== undefined && codings.length > 0) return codings;
  const code = input.text('code');
  if (code === undefined) throw badRequest('a code, a coding or a codeableConcept is needed', 'code');
  return [{ code, system: input.text('system'), display: input.text('display') }];
}
