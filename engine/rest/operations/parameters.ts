// The Parameters that operations take and give: https://hl7.org/fhir/R4/parameters.html
import type { FhirResource } from '../../fhir/resource.ts';
import { badRequest } from '../../kernel/outcomes.ts';
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
