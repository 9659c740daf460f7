// Segment → resource: one file of mappings/hl7v2/segments, compiled.
import { isMap } from 'yaml';
import type { FhirResource } from '../fhir/resource.ts';
import type { Output } from './output.ts';
import { compileExpression, type Condition } from './language/expression.ts';
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
import type { Expression, Made, Scope } from './scope.ts';
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
  };
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
  const id = map.id(scope);
  if (typeof id !== 'string') return;
  const known = map.replicates ? undefined : output.known(map.type, id);
  const made = known ?? makeNew(map, output.freeId(map.type, id), scope, output);
  if (made === undefined) return;
  outer.remember('everything', made);
  if (name !== undefined) outer.remember(name, made);
  for (const [mark, when] of map.marks) if (when(scope)) outer.remember(mark, made);
}

function makeNew(map: ResourceMap, id: string, scope: Scope, output: Output): Made | undefined {
  const { recorder } = scope.run;
  const key = {};
  recorder?.begin(key);
  const mark = recorder?.mark();
  const elements = map.elements.make(scope);
  if (typeof elements !== 'object' || elements === null) {
    if (mark !== undefined) recorder?.rollback(mark);
    return undefined;
  }
  const resource: FhirResource = { resourceType: map.type, id, ...elements };
  const condition = map.condition?.(scope);
  const corrects = map.corrects?.(scope) ?? false;
  const place =
    scope.group.opener && `${scope.group.opener.name}[${scope.run.occurrence(scope.group.opener)}]`;
  return output.add(resource, {
    key,
    place,
    corrects,
    write: map.write,
    condition: typeof condition === 'string' ? condition : undefined,
  });
}
