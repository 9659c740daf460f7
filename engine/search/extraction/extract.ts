// Walks a resource along the compiled paths of its type and gathers what it is indexed under.
import type { FhirResource } from '../../fhir/resource.ts';
import type { CompiledType, ExtractionNode } from '../definitions/compiled.ts';
import type { IndexEntry } from '../index-entry.ts';
import type { ParameterName } from '../plan.ts';
import { Collector, type ExtractionOptions } from './collector.ts';
import { extractors, type Extractor } from './extractors.ts';

/** All index entries of a resource of the type that it was made for; no two alike. */
export type Extraction = (resource: FhirResource) => readonly IndexEntry[];

interface LinkedNode {
  readonly property: string;
  readonly where: readonly [string, string | boolean] | undefined;
  readonly emit: readonly { readonly extract: Extractor; readonly parameter: ParameterName }[];
  readonly children: readonly LinkedNode[];
}

/** Binds the compiled paths of a type to the extractors. */
export function linkExtraction(compiled: CompiledType, options: ExtractionOptions): Extraction {
  const nodes = compiled.nodes.map((node) => linked(node, compiled.names));
  return (resource) => {
    const into = new Collector(options);
    walk(resource, nodes, into);
    for (const { properties, name } of compiled.presences) {
      const code = String(isPresent(resource, properties));
      into.add({ kind: 'token', parameter: nameAt(compiled.names, name), system: '', code });
    }
    return into.entries;
  };
}

function linked(node: ExtractionNode, names: readonly ParameterName[]): LinkedNode {
  return {
    property: node.property,
    where: node.where,
    emit: (node.emit ?? []).map(([extractor, name]) => ({
      extract: extractorAt(extractor),
      parameter: nameAt(names, name),
    })),
    children: (node.children ?? []).map((child) => linked(child, names)),
  };
}

function extractorAt(name: string): Extractor {
  const extractor = extractors[name];
  if (extractor === undefined) throw new Error(`no extractor ${name}: the compiled definitions are stale`);
  return extractor;
}

function nameAt(names: readonly ParameterName[], place: number): ParameterName {
  const name = names[place];
  if (name === undefined) throw new Error('the compiled definitions are damaged');
  return name;
}

function walk(
  holder: Readonly<Record<string, unknown>>,
  nodes: readonly LinkedNode[],
  into: Collector,
): void {
  for (const node of nodes) {
    const value = holder[node.property];
    if (value === undefined) continue;
    if (Array.isArray(value)) for (const one of value) visit(one, node, into);
    else visit(value, node, into);
  }
}

function visit(value: unknown, node: LinkedNode, into: Collector): void {
  if (value === null || value === undefined) return;
  if (node.where !== undefined && !holds(value, node.where)) return;
  for (const { extract, parameter } of node.emit) extract(value, parameter, into);
  if (node.children.length > 0 && typeof value === 'object') {
    walk(value as Readonly<Record<string, unknown>>, node.children, into);
  }
}

const holds = (value: unknown, [property, wanted]: readonly [string, string | boolean]): boolean =>
  typeof value === 'object' && (value as Readonly<Record<string, unknown>>)[property] === wanted;

const isPresent = (resource: FhirResource, properties: readonly string[]): boolean =>
  properties.some((property) => resource[property] !== undefined && resource[property] !== false);
