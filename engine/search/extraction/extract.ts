// Walks a resource along the compiled paths of its type and gathers what it is indexed under.
import type { FhirResource } from '../../fhir/resource.ts';
import type { CompiledParameter, CompiledType, ExtractionNode } from '../definitions/compiled.ts';
import type { IndexEntry, PartEntry } from '../index-entry.ts';
import type { ParameterName } from '../plan.ts';
import { addCanonicalNames, canonicalNamesOf } from './canonical-names.ts';
import { Collector, type ExtractionOptions } from './collector.ts';
import { entryNames, type EntryNames } from './entry-names.ts';
import { extractors, type Extractor } from './extractors.ts';
import { addContent, addNarrative } from './words.ts';

type Fields = Readonly<Record<string, unknown>>;

/** All index entries of a resource of the type that it was made for; no two alike. */
export type Extraction = (resource: FhirResource) => readonly IndexEntry[];

interface LinkedNode {
  readonly property: string;
  readonly where: readonly [string, string | boolean] | undefined;
  readonly first: boolean;
  readonly emit: readonly { readonly extract: Extractor; readonly names: EntryNames }[];
  readonly children: readonly LinkedNode[];
  readonly composites: readonly LinkedComposite[];
}

/** Binds the compiled paths of a type to the extractors. */
export function linkExtraction(compiled: CompiledType, options: ExtractionOptions): Extraction {
  const nodes = compiled.nodes.map((node) => linked(node, compiled.names));
  const narrative = textNameOf(compiled, '_text');
  const content = textNameOf(compiled, '_content');
  const named = isNamedByUrl(compiled.parameters);
  return (resource) => {
    const into = new Collector(options);
    walk(resource, nodes, into, resource);
    for (const { properties, name } of compiled.presences) {
      const code = String(isPresent(resource, properties));
      into.add({ kind: 'token', parameter: nameAt(compiled.names, name), system: '', code });
    }
    if (narrative !== undefined) addNarrative(resource, narrative, into);
    if (content !== undefined) addContent(resource, content, into);
    if (named) addCanonicalNames(resource, canonicalNamesOf(resource.resourceType), into);
    return into.entries;
  };
}

/** Whether canonicals lead to resources with these parameters: those of a Device's `url` do not. */
export function isNamedByUrl(parameters: readonly Pick<CompiledParameter, 'code' | 'type'>[]): boolean {
  const has = (code: string, type: string): boolean =>
    parameters.some((parameter) => parameter.code === code && parameter.type === type);
  return has('url', 'uri') && has('version', 'token');
}

const textNameOf = ({ parameters }: CompiledType, code: string): ParameterName | undefined =>
  parameters.find((parameter) => parameter.reads === 'text' && parameter.code === code)?.sets[0]?.name;

function linked(node: ExtractionNode, names: readonly ParameterName[]): LinkedNode {
  return {
    property: node.property,
    where: node.where,
    first: node.first === true,
    emit: (node.emit ?? []).map(([extractor, name]) => ({
      extract: extractorAt(extractor),
      names: entryNames(nameAt(names, name)),
    })),
    children: (node.children ?? []).map((child) => linked(child, names)),
    composites: (node.composites ?? []).map(({ name, components }) => ({
      names: entryNames(nameAt(names, name)),
      components: components.map(({ fromResource, nodes }) => ({
        fromResource,
        nodes: nodes.map((inner) => linked(inner, names)),
      })),
    })),
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

function walk(holder: Fields, nodes: readonly LinkedNode[], into: Collector, resource: Fields): void {
  for (const node of nodes) {
    const value = holder[node.property];
    if (value === undefined) continue;
    if (!Array.isArray(value)) visit(value, node, into, resource);
    else if (node.first) visit(value[0], node, into, resource);
    else for (const one of value) visit(one, node, into, resource);
  }
}

function visit(value: unknown, node: LinkedNode, into: Collector, resource: Fields): void {
  if (value === null || value === undefined) return;
  if (node.where !== undefined && !holds(value, node.where)) return;
  for (const { extract, names } of node.emit) extract(value, names, into);
  if (typeof value !== 'object') return;
  if (node.children.length > 0) walk(value as Fields, node.children, into, resource);
  for (const composite of node.composites) addComposite(value as Fields, composite, into, resource);
}

interface LinkedComposite {
  readonly names: EntryNames;
  readonly components: readonly { readonly fromResource: boolean; readonly nodes: readonly LinkedNode[] }[];
}

/** Values that belong together may have several codes each: so many of their combinations are indexed. */
const maximumCombinations = 64;

function addComposite(
  value: Fields,
  { names, components }: LinkedComposite,
  into: Collector,
  resource: Fields,
): void {
  let combinations: readonly (readonly PartEntry[])[] = [[]];
  for (const { fromResource, nodes } of components) {
    const found = new Collector(into.options);
    walk(fromResource ? resource : value, nodes, found, resource);
    const values = found.entries.filter((entry) => isPart(entry, names));
    combinations = combinations
      .flatMap((parts) => values.map((one) => [...parts, one]))
      .slice(0, maximumCombinations);
  }
  for (const parts of combinations) into.add(compositeOf(parts, names));
}

/** Modifiers are not asked of parts. */
const isPart = (entry: IndexEntry, names: EntryNames): entry is PartEntry =>
  entry.parameter === names.plain || entry.parameter === names.canonical;

function compositeOf(parts: readonly PartEntry[], names: EntryNames): IndexEntry {
  const canonical = parts.some((part) => part.parameter === names.canonical);
  const parameter = canonical ? names.canonical : names.plain;
  return { kind: 'composite', parameter, parts: parts.map((part) => ({ ...part, parameter })) };
}

const holds = (value: unknown, [property, wanted]: readonly [string, string | boolean]): boolean =>
  typeof value === 'object' && (value as Fields)[property] === wanted;

const isPresent = (resource: FhirResource, properties: readonly string[]): boolean =>
  properties.some((property) => resource[property] !== undefined && resource[property] !== false);
