// Segment → resource: one file of mappings/hl7v2/segments, compiled.
import { isMap, isSeq } from 'yaml';
import type { FhirResource } from '../fhir/resource.ts';
import type { Output } from './output.ts';
import { compileExpression, single, type Condition } from './language/expression.ts';
import { withLets, type Lets, type Template } from './language/making.ts';
import { compileLets, compileTemplate, conditionOf, located, type Library } from './language/template.ts';
import { itemsAt, parsePath, type Path } from './language/path.ts';
import type { Dropped, MergeRule, MergeRules } from './merge.ts';
import { makePlainly } from './remaking.ts';
import { isNullAt, type Expression, type Made, type Making, type Scope } from './scope.ts';
import type { WriteKind } from './settle.ts';
import { scalarText, type MapSource } from './source.ts';

export interface ResourceMap {
  readonly type: string;
  readonly write: WriteKind;
  readonly id: Expression;
  /** The search that finds it, for `if-none-exist`. */
  readonly condition: Expression | undefined;
  readonly when: Condition | undefined;
  /** The sender says that it corrects what it sent before. */
  readonly corrects: Condition | undefined;
  /** What comes twice under one id is two things (replicates of a measurement), not the same thing named twice. */
  readonly replicates: boolean;
  /** Names under which it is remembered too, when their condition holds. */
  readonly marks: readonly (readonly [name: string, when: Condition])[];
  readonly lets: Lets;
  readonly elements: Template;
  /** For `merge`: how elements of the stored resource are changed. */
  readonly merge: MergeRules;
  /** For `merge`: fields whose null deletes members of a list. */
  readonly drops: readonly (Dropped & { readonly path: Path })[];
}

/** Throws MapFault. The source has passed its schema. */
export function compileResourceMap(source: MapSource, library: Library): ResourceMap {
  const { document } = source;
  const expression = (name: string): Expression | undefined => {
    const node = document.get(name, true);
    const text = scalarText(node);
    if (text === undefined) return undefined;
    return located(node, source, () => compileExpression(text.replace(/^=/, ''), library));
  };
  const id = expression('id');
  if (id === undefined) throw source.fault(document.contents, 'a resource needs an id');
  return {
    id,
    type: scalarText(document.get('resource', true)) ?? '',
    write: (scalarText(document.get('write', true)) ?? 'put') as WriteKind,
    condition: expression('condition'),
    when: conditionOf(document.get('when', true), source, library),
    corrects: conditionOf(document.get('corrects', true), source, library),
    replicates: document.get('replicates') === 'true',
    marks: marksOf(source, library),
    lets: compileLets(document.get('let', true), source, library),
    elements: compileTemplate(document.get('elements', true), source, library),
    merge: mergeRulesOf(source),
    drops: dropsOf(source),
  };
}

/** `merge: { period: parts, telecom: [system, use], location: { parts: [location.reference] } }` */
function mergeRulesOf({ document }: MapSource): MergeRules {
  const rules = document.get('merge', true);
  if (!isMap(rules)) return alwaysMerged;
  const own = rules.items.map(({ key, value }): readonly [string, MergeRule] => [
    scalarText(key) ?? '',
    mergeRuleOf(value),
  ]);
  return new Map([...alwaysMerged, ...own]);
}

/** `parts`, `[system, use]`, or `{ parts: [location.reference] }` */
function mergeRuleOf(node: unknown): MergeRule {
  const inParts = isMap(node);
  const by: unknown = inParts ? node.get('parts', true) : node;
  if (!isSeq(by)) return { kind: 'parts' };
  return { kind: 'members', inParts, by: by.items.map((path) => scalarText(path) ?? '') };
}

/** Versions and tags that the store and others have put there stay. */
const alwaysMerged: MergeRules = new Map([['meta', { kind: 'parts' }]]);

/** `drops: { PID-14: { telecom: { use: work } } }` */
function dropsOf(source: MapSource): ResourceMap['drops'] {
  const drops = source.document.get('drops', true);
  if (!isMap(drops)) return [];
  return drops.items.flatMap(({ key, value }) => {
    const path = located(key, source, () => parsePath(scalarText(key) ?? ''));
    const elements = isMap(value) ? (value.toJSON() as Readonly<Record<string, Dropped['where']>>) : {};
    return Object.entries(elements).map(([element, where]) => ({ path, element, where }));
  });
}

function marksOf(source: MapSource, library: Library): ResourceMap['marks'] {
  const marks = source.document.get('marks', true);
  if (!isMap(marks)) return [];
  return marks.items.flatMap((pair) => {
    const when = conditionOf(pair.value, source, library);
    const name = scalarText(pair.key) ?? '';
    library.binds(name);
    return when === undefined ? [] : [[name, when] as const];
  });
}

/** Names that are bound whatever the maps say: all that was made, what is gone through, the resource as it is stored. */
export const boundByAll = ['everything', 'it', 'stored'] as const;

/** Makes the resource, hands it to the output, and lets the scopes know it as `name`. */
export function makeResource(map: ResourceMap, outer: Scope, output: Output, name: string | undefined): void {
  const { run } = outer;
  const making = (map.write === 'merge' ? makePlainly : run.makings).begin(map, outer);
  const done = makeOne(map, outer, output, making);
  making.end();
  if (done === undefined) return;
  const { made, marks } = done;
  outer.remember('everything', made);
  if (name !== undefined) outer.remember(name, made);
  for (const mark of marks) outer.remember(mark, made);
}

interface Done {
  readonly made: Made;
  readonly marks: readonly string[];
}

function makeOne(map: ResourceMap, outer: Scope, output: Output, making: Making): Done | undefined {
  const scope = withLets(outer, map.lets);
  const { when } = map;
  if (when !== undefined && !making.part(when, () => when(scope))) return undefined;
  const id = making.part(map.id, () => single(map.id(scope)));
  if (typeof id !== 'string') return undefined;
  const made =
    map.write === 'merge'
      ? makeNew(map, id, withStored(map, id, outer, output), output, making)
      : onceOrAgain(map, id, scope, output, making);
  if (made === undefined) return undefined;
  const marks = map.marks.filter(([, holds]) => making.part(holds, () => holds(scope)));
  return { made, marks: marks.map(([mark]) => mark) };
}

function onceOrAgain(
  map: ResourceMap,
  id: string,
  scope: Scope,
  output: Output,
  making: Making,
): Made | undefined {
  const known = map.replicates ? undefined : output.known(map.type, id);
  return known ?? makeNew(map, output.freeId(map.type, id), scope, output, making);
}

/** `$stored` is the resource as it is. */
function withStored(map: ResourceMap, id: string, outer: Scope, output: Output): Scope {
  const stored = output.current(map.type, id);
  if (stored === undefined) return withLets(outer, map.lets);
  const scope = outer.inner();
  scope.define('stored', () => stored);
  return withLets(scope, map.lets);
}

function makeNew(
  map: ResourceMap,
  id: string,
  scope: Scope,
  output: Output,
  making: Making,
): Made | undefined {
  const { recorder, occurrence } = scope.run;
  const key = {};
  recorder?.begin(key);
  const mark = recorder?.mark();
  const resource = resourceOf(map, id, scope, making);
  if (resource === undefined) {
    if (mark !== undefined) recorder?.rollback(mark);
    return undefined;
  }
  const condition = making.part('condition', () => map.condition?.(scope));
  const corrects = making.part('corrects', () => map.corrects?.(scope) ?? false);
  const { opener } = scope.group;
  const dropped = map.drops.filter(({ path }) =>
    itemsAt(path, scope).some((item) => isNullAt(item, undefined)),
  );
  return output.add(resource, {
    key,
    corrects,
    place: opener && `${opener.name}[${occurrence(opener)}]`,
    merging: { dropped, rules: map.merge },
    write: map.write,
    condition: typeof condition === 'string' ? condition : undefined,
  });
}

/** The same resource, where an earlier run made it under the same id and nothing of it looks otherwise. */
function resourceOf(map: ResourceMap, id: string, scope: Scope, making: Making): FhirResource | undefined {
  const { nulls } = scope.run;
  nulls.heeded = map.write === 'merge';
  const resource = making.part(`resource ${id}`, () => {
    const elements = map.elements.make(scope, (part, make) => making.part(part, make));
    if (typeof elements !== 'object' || elements === null) return undefined;
    return { resourceType: map.type, id, ...elements };
  });
  nulls.heeded = false;
  return resource;
}
