// Segment → resource: one file of mappings/hl7v2/segments, compiled.
import { isMap, isSeq } from 'yaml';
import type { FhirResource } from '../fhir/resource.ts';
import type { Output } from './output.ts';
import { compileExpression, single, type Condition } from './language/expression.ts';
import {
  compileLets,
  compileTemplate,
  conditionOf,
  located,
  withLets,
  type Lets,
  type Library,
  type Template,
} from './language/template.ts';
import { itemsAt, parsePath, type Path } from './language/path.ts';
import type { Dropped, MergeRule, MergeRules } from './merge.ts';
import { isNullAt, type Expression, type Made, type Scope } from './scope.ts';
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
    return when === undefined ? [] : [[scalarText(pair.key) ?? '', when] as const];
  });
}

/** Makes the resource, hands it to the output, and lets the scopes know it as `name`. */
export function makeResource(map: ResourceMap, outer: Scope, output: Output, name: string | undefined): void {
  const scope = withLets(outer, map.lets);
  if (map.when !== undefined && !map.when(scope)) return;
  const id = single(map.id(scope));
  if (typeof id !== 'string') return;
  const made =
    map.write === 'merge'
      ? makeNew(map, id, withStored(map, id, outer, output), output)
      : onceOrAgain(map, id, scope, output);
  if (made === undefined) return;
  outer.remember('everything', made);
  if (name !== undefined) outer.remember(name, made);
  for (const [mark, when] of map.marks) if (when(scope)) outer.remember(mark, made);
}

function onceOrAgain(map: ResourceMap, id: string, scope: Scope, output: Output): Made | undefined {
  const known = map.replicates ? undefined : output.known(map.type, id);
  return known ?? makeNew(map, output.freeId(map.type, id), scope, output);
}

/** `$stored` is the resource as it is. */
function withStored(map: ResourceMap, id: string, outer: Scope, output: Output): Scope {
  const stored = output.current(map.type, id);
  if (stored === undefined) return withLets(outer, map.lets);
  const scope = outer.inner();
  scope.define('stored', () => stored);
  return withLets(scope, map.lets);
}

function makeNew(map: ResourceMap, id: string, scope: Scope, output: Output): Made | undefined {
  const { recorder } = scope.run;
  const key = {};
  recorder?.begin(key);
  const mark = recorder?.mark();
  const { nulls } = scope.run;
  nulls.heeded = map.write === 'merge';
  const elements = map.elements.make(scope);
  nulls.heeded = false;
  if (typeof elements !== 'object' || elements === null) {
    if (mark !== undefined) recorder?.rollback(mark);
    return undefined;
  }
  const resource: FhirResource = { resourceType: map.type, id, ...elements };
  const condition = map.condition?.(scope);
  const corrects = map.corrects?.(scope) ?? false;
  const place =
    scope.group.opener && `${scope.group.opener.name}[${scope.run.occurrence(scope.group.opener)}]`;
  const dropped = map.drops.filter(({ path }) =>
    itemsAt(path, scope).some((item) => isNullAt(item, undefined)),
  );
  return output.add(resource, {
    key,
    place,
    corrects,
    merging: { dropped, rules: map.merge },
    write: map.write,
    condition: typeof condition === 'string' ? condition : undefined,
  });
}
