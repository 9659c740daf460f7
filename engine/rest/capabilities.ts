// GET [base]/metadata: https://hl7.org/fhir/R4/http.html#capabilities, made from the interactions that are mounted.
import type {
  CapabilityStatement,
  CapabilityStatementRest,
  CapabilityStatementRestResource,
} from '@medplum/fhirtypes';
import { compartmentTypes } from '../fhir/compartments.ts';
import type { SearchIndex, SearchParameterInfo } from '../search/search-index.ts';
import { fhirPath, type Capability, type FhirParts, type Interaction } from './interaction.ts';

type Codes<T extends { interaction?: readonly { readonly code?: unknown }[] }> = NonNullable<
  T['interaction']
>;

/** `interactions`: all that are mounted beside this one. */
export function capabilitiesInteraction(interactions: readonly Interaction[]): Interaction {
  const capabilities = interactions.flatMap(({ capability }) => capability ?? []);
  let made: { readonly url: string; readonly revision: number; readonly text: string } | undefined;
  return {
    name: 'capabilities',
    method: 'GET',
    path: '/metadata',
    access: 'public',
    takes: 'nothing',
    answer: async (parts, { publicUrl: url }) => {
      const { revision } = parts.index;
      if (made?.url !== url || made.revision !== revision) {
        made = { url, revision, text: JSON.stringify(statement(parts, url, capabilities)) };
      }
      return { status: 200, body: made.text };
    },
  };
}

function statement(
  parts: FhirParts,
  publicUrl: string,
  capabilities: readonly Capability[],
): CapabilityStatement {
  const { index, version, startedAt, cors } = parts;
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: new Date(startedAt).toISOString(),
    kind: 'instance',
    software: { name: 'Kiungo', version },
    implementation: { description: 'Kiungo FHIR R4 integration engine', url: `${publicUrl}${fhirPath}` },
    fhirVersion: '4.0.1',
    format: ['json', 'xml', 'application/fhir+json', 'application/fhir+xml'],
    patchFormat: [
      'application/json-patch+json',
      'application/merge-patch+json',
      'application/fhir+json',
      'application/fhir+xml',
    ],
    rest: [
      {
        mode: 'server',
        security: security(publicUrl, cors),
        resource: [...resourcesOf(index, capabilities)],
        interaction: codesOf(capabilities, 'system') as Codes<CapabilityStatementRest>,
        ...operationsOf(capabilities, 'system'),
        compartment: compartmentTypes.map(
          (type) =>
            `http://hl7.org/fhir/CompartmentDefinition/${type[0]?.toLowerCase() ?? ''}${type.slice(1)}`,
        ),
      },
    ],
  };
}

function resourcesOf(
  index: SearchIndex,
  capabilities: readonly Capability[],
): readonly CapabilityStatementRestResource[] {
  const referring = index.types.flatMap((type) =>
    followed(index, type).map((parameter) => ({
      name: `${type}:${parameter.code}`,
      targets: targetsOf(index, type, parameter),
    })),
  );
  return index.types.map((type) => ({
    ...resourceOf(type, index, capabilities),
    searchRevInclude: [
      '*',
      ...referring.filter(({ targets }) => isTarget(type, targets)).map(({ name }) => name),
    ],
  }));
}

/** The reference parameters that includes can follow. */
const followed = (index: SearchIndex, type: string): readonly SearchParameterInfo[] =>
  index
    .parameters(type)
    .filter(
      ({ type: kind, literal, canonical }) =>
        kind === 'reference' && (literal === true || canonical === true),
    );

/** Canonicals lead to fewer types than their definition says: to those that have a canonical url. */
const targetsOf = (
  index: SearchIndex,
  type: string,
  { code, literal, targets }: SearchParameterInfo,
): readonly string[] | undefined =>
  literal === true ? targets : index.canonicalLinks(type, code, undefined).map(({ target }) => target);

/** Where no targets are said, any type is one. */
const isTarget = (type: string, targets: readonly string[] = []): boolean =>
  targets.length === 0 || targets.includes(type);

function resourceOf(
  type: string,
  index: SearchIndex,
  capabilities: readonly Capability[],
): CapabilityStatementRestResource {
  const parameters = index.parameters(type);
  return {
    type: type as NonNullable<CapabilityStatementRestResource['type']>,
    interaction: codesOf(capabilities, 'type') as Codes<CapabilityStatementRestResource>,
    ...merged(capabilities),
    ...operationsOf(capabilities, 'type', type),
    searchInclude: ['*', ...followed(index, type).map(({ code }) => `${type}:${code}`)],
    ...(parameters.length === 0
      ? {}
      : {
          searchParam: parameters.map(({ code, definition, type: kind }) => ({
            name: code,
            definition,
            type: kind,
          })),
        }),
  };
}

const merged = (capabilities: readonly Capability[]): Partial<CapabilityStatementRestResource> =>
  capabilities.reduce((all, { resource }) => ({ ...all, ...resource }), {});

const codesOf = (
  capabilities: readonly Capability[],
  level: Capability['level'],
): readonly { readonly code: string }[] =>
  capabilities.filter((one) => one.level === level).flatMap(({ codes }) => codes.map((code) => ({ code })));

/** Those of the level; at a type, those that are offered there. */
function operationsOf(
  capabilities: readonly Capability[],
  at: Capability['level'],
  type?: string,
): Pick<CapabilityStatementRest, 'operation'> {
  const operation = capabilities
    .flatMap((one) => (one.level === at ? (one.operation ?? []) : []))
    .filter(({ types }) => type === undefined || types === undefined || types.includes(type))
    .map(({ name, definition }) => ({ name, definition }));
  return operation.length === 0 ? {} : { operation };
}

/** https://hl7.org/fhir/smart-app-launch/conformance.html#using-cs */
function security(publicUrl: string, cors: boolean): NonNullable<CapabilityStatementRest['security']> {
  const system = 'http://terminology.hl7.org/CodeSystem/restful-security-service';
  return {
    cors,
    service: [{ coding: [{ system, code: 'SMART-on-FHIR' }] }],
    extension: [
      {
        url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
        extension: [{ url: 'token', valueUri: `${publicUrl}/oauth2/token` }],
      },
    ],
  };
}
