// Templates of FHIR elements: a YAML tree of the shape of what it makes, compiled into closures.
import { isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml';
import { cleared, isCleared } from '../cleared.ts';
import { isNullAt, type Scope } from '../scope.ts';
import { scalarText, type MapSource } from '../source.ts';
import { compileCondition, compileExpression, single, type Condition } from './expression.ts';
import { compileItems } from './items.ts';
import {
  aside,
  constant,
  leaf,
  listTemplate,
  objectMaker,
  orCleared,
  template,
  type Lets,
  type Part,
  type Template,
} from './making.ts';
import type { Tables } from './tables.ts';

/** Names that scopes may bind, as they are met in the maps. */
export interface Binds {
  readonly bindable: ReadonlySet<string>;
  binds(name: string): void;
}

/** What templates need from the folder they are in. */
export interface Library extends Tables, Binds {
  /** The template of a data type: `CX-Identifier`. Throws SyntaxError when there is none. */
  template(name: string): Template;
}

/** Throws MapFault with file and line. */
export function compileTemplate(node: unknown, source: MapSource, library: Library): Template {
  if (isMap(node)) return compileMap(node, source, library);
  if (isSeq(node)) return compileList(node.items, source, library);
  if (isScalar(node)) return compileLeaf(node, source, library);
  throw source.fault(node as Node | null, 'a value is missing');
}

/** Runs a compiling step; what it does not understand is said with the place. */
export function located<T>(node: unknown, source: MapSource, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof SyntaxError) throw source.fault(node as Node | null, error.message);
    throw error;
  }
}

function compileLeaf(node: Node, source: MapSource, library: Library): Template {
  const value = scalarText(node) ?? '';
  const rule = source.at(node);
  if (!value.startsWith('=')) return leaf(rule, constant(value), false);
  const expression = located(node, source, () => compileExpression(value.slice(1), library));
  const evaluate = (scope: Scope): unknown => {
    const found = single(expression(scope));
    return found === '' ? undefined : found;
  };
  const recorded = leaf(rule, evaluate, true);
  return template((scope) => orCleared(scope, recorded.make), true);
}

function compileList(nodes: readonly unknown[], source: MapSource, library: Library): Template {
  const members = nodes.map((node) => compileTemplate(node, source, library));
  const fill: Template['fill'] = (scope, list) => {
    for (const member of members) member.fill(scope, list);
  };
  return listTemplate(
    fill,
    members.some(({ dynamic }) => dynamic),
  );
}

function compileMap(node: YAMLMap, source: MapSource, library: Library): Template {
  const parts = node.items.flatMap((pair) => partOf(pair as Pair<Node, Node>, node, source, library));
  const when = conditionOf(node.get('$when', true), source, library);
  const lets = compileLets(node.get('$let', true), source, library);
  const dynamic = when !== undefined || parts.some(({ template: { dynamic: is } }) => is);
  const inner = template(objectMaker(parts, when, lets, dynamic), dynamic);
  return repeated(node, inner, source, library);
}

function partOf(pair: Pair<Node, Node>, node: YAMLMap, source: MapSource, library: Library): Part[] {
  const name = scalarText(pair.key) ?? '';
  if (name === '$use') {
    const used = located(pair.value, source, () => library.template(scalarText(pair.value) ?? ''));
    return [{ name: undefined, template: used }];
  }
  if (name === '$choose') return [{ name: undefined, template: choice(pair.value, source, library) }];
  if (name === '$cases') return [{ name: undefined, template: cases(node, source, library) }];
  if (name.startsWith('$')) return [];
  return [{ name, template: compileTemplate(pair.value, source, library) }];
}

/** `$choose`: the first alternative that makes something. */
function choice(node: unknown, source: MapSource, library: Library): Template {
  if (!isSeq(node)) throw source.fault(node as Node | null, '$choose takes a list');
  const alternatives = node.items.map((item) => compileTemplate(item, source, library));
  return template((scope) => {
    let clearing: unknown;
    for (const alternative of alternatives) {
      const made = alternative.make(scope);
      if (made !== undefined && !(scope.run.nulls.heeded && isCleared(made))) return made;
      clearing ??= made;
    }
    return clearing;
  }, true);
}

/** `$by` and `$cases`: the case that the value names, or `*`. The value counts as used. */
function cases(node: YAMLMap, source: MapSource, library: Library): Template {
  const by = scalarText(node.get('$by', true));
  const listed = node.get('$cases', true);
  if (by === undefined || !isMap(listed)) throw source.fault(node, '$by and $cases go together');
  const key = located(listed, source, () => compileExpression(by.replace(/^=/, ''), library));
  const made = new Map(
    listed.items.map((pair) => [scalarText(pair.key) ?? '', compileTemplate(pair.value, source, library)]),
  );
  const rule = source.at(listed);
  return template((scope) => {
    const choose = (): string | undefined => single(key(scope)) as string | undefined;
    const chosen = scope.run.recorder === undefined ? choose() : scope.run.recorder.rule(rule, choose);
    return (made.get(chosen ?? '') ?? made.get('*'))?.make(scope);
  }, true);
}

/** `$each`: once for each item; `$on`: for the one field named. */
function repeated(node: YAMLMap, inner: Template, source: MapSource, library: Library): Template {
  const on = node.get('$on', true);
  const each = node.get('$each', true);
  if (on === undefined && each === undefined) return inner;
  const scopes = compileItems((each ?? on) as Node, source, library);
  if (each === undefined) {
    return template((scope) => {
      const [first] = scopes(scope);
      if (first === undefined) return undefined;
      return isDeleted(first) ? cleared : inner.make(first);
    }, true);
  }
  return listTemplate((scope, list) => {
    for (const item of scopes(scope)) {
      if (isDeleted(item)) list.push(cleared);
      else inner.fill(item, list);
    }
  }, true);
}

const isDeleted = ({ run, item }: Scope): boolean =>
  run.nulls.heeded && item !== undefined && isNullAt(item, undefined);

/** Names of a scope's own. `$let: { name: expression }`; a list or an object in place of an expression is a template. */
export function compileLets(node: unknown, source: MapSource, library: Library): Lets {
  const lets = compileDefinitions(node, source, library);
  for (const [name] of lets) library.binds(name);
  return lets;
}

/** As lets; names that every scope knows. */
export function compileDefinitions(node: unknown, source: MapSource, library: Library): Lets {
  if (!isMap(node)) return [];
  return node.items.map((pair) => {
    if (!isScalar(pair.value)) {
      const { make } = compileTemplate(pair.value, source, library);
      return [scalarText(pair.key) ?? '', aside(make)] as const;
    }
    const text = scalarText(pair.value) ?? '';
    const expression = located(pair.value, source, () =>
      text.startsWith('=') ? compileExpression(text.slice(1), library) : () => text,
    );
    return [scalarText(pair.key) ?? '', expression] as const;
  });
}

export function conditionOf(node: unknown, source: MapSource, library: Tables): Condition | undefined {
  const text = scalarText(node);
  return text === undefined ? undefined : located(node, source, () => compileCondition(text, library));
}
