// The Parameters that operations take and give: https://hl7.org/fhir/R4/parameters.html
import { decimalText } from '../../fhir/exact-json.ts';
import type { FhirResource } from '../../fhir/resource.ts';
import { badRequest, Refusal } from '../../kernel/outcomes.ts';
import type { Exchange } from '../interaction.ts';
import { parseBody } from '../sent-resource.ts';

type Parameter = Readonly<Record<string, unknown>> & { readonly name: string };

/** The sent parameters by name, the last of a name. Throws Refusal `bad-request` for what is no Parameters. */
export function sentParameters({ body }: Exchange): ReadonlyMap<string, Parameter> {
  const resource: FhirResource = parseBody(body);
  if (resource.resourceType !== 'Parameters') {
    throw badRequest('a Parameters is expected here', 'resourceType');
  }
  const list = resource['parameter'] ?? [];
  if (!Array.isArray(list) || !list.every(isParameter)) {
    throw badRequest('parameter is a list of parameters with names', 'Parameters.parameter');
  }
  return new Map(list.map((parameter) => [parameter.name, parameter]));
}

const isParameter = (value: unknown): value is Parameter =>
  typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string';

/** A Parameters with one parameter, as JSON text. */
export const parametersText = (parameter: Parameter): string =>
  JSON.stringify({ resourceType: 'Parameters', parameter: [parameter] });

// As a query or as a Parameters resource: https://hl7.org/fhir/R4/operations.html#executing

/** Names to values, as they would stand in a query. Throws Refusal `unknown-parameter` for other names than these. */
export function inputOf(exchange: Exchange, names: readonly string[]): URLSearchParams {
  const input = anyInputOf(exchange);
  for (const name of input.keys()) {
    if (!names.includes(name)) throw new Refusal('unknown-parameter', `this takes ${names.join(', ')}`);
  }
  return input;
}

export function anyInputOf(exchange: Exchange): URLSearchParams {
  const input = new URLSearchParams(exchange.query);
  if (exchange.body.length === 0) return input;
  const { resourceType, parameter = [] } = parseBody(exchange.body);
  if (resourceType !== 'Parameters' || !Array.isArray(parameter)) {
    throw badRequest('a resource Parameters is expected here', 'resourceType');
  }
  for (const one of parameter as readonly unknown[]) input.append(...pairOf(one));
  return input;
}

function pairOf(parameter: unknown): readonly [string, string] {
  const fields = Object.entries(typeof parameter === 'object' && parameter !== null ? parameter : {});
  const name: unknown = fields.find(([key]) => key === 'name')?.[1];
  const value: unknown = fields.find(([key]) => key.startsWith('value'))?.[1];
  const text = typeof value === 'string' ? value : (decimalText(value) ?? referenceOf(value));
  if (typeof name !== 'string' || text === undefined) {
    throw badRequest('a parameter has a name and a primitive value or a reference', 'Parameters.parameter');
  }
  return [name, text];
}

function referenceOf(value: unknown): string | undefined {
  if (typeof value === 'boolean') return String(value);
  if (typeof value !== 'object' || value === null || !('reference' in value)) return undefined;
  return typeof value.reference === 'string' ? value.reference : undefined;
}
