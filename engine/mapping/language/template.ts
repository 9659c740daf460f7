// Templates of FHIR elements: a YAML tree of the shape of what it makes, compiled into closures.
import { isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml';
import { cleared, isCleared } from '../cleared.ts';
import { isNullAt, type Scope } from '../scope.ts';
import { scalarText, type MapSource } from '../source.ts';
import { compileCondition, compileExpression, single, type Condition } from './expression.ts';
import { compileItems } from './items.ts';
import type { Tables } from './tables.ts';

export interface Template {
  /** What is made; undefined when nothing is. `by` makes the parts of an object, where it is not left to them. */
  readonly make: (scope: Scope, by?: MakePart) => unknown;
  /** Appends what is made to a list. */
  readonly fill: (scope: Scope, list: unknown[]) => void;
  /** Depends on the message: when all such parts of an object come to nothing, so does the object. */
  readonly dynamic: boolean;
}

/** Names that scopes may bind, as they are met in the maps. */
export interface Binds {
  readonly bindable: ReadonlySet<string>;
  binds(name: string): void;
}

export type MakePart = (part: object, make: () => unknown) => unknown;

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

/** Nothing, where the sender has it deleted, is more than nothing. */
function orCleared(scope: Scope, make: Template['make']): unknown {
  const { nulls } = scope.run;
  const before = nulls.seen;
  return make(scope) ?? (nulls.heeded && nulls.seen > before ? cleared : undefined);
}

const constant = (text: string): (() => unknown) => {
  const value = text === 'true' ? true : text === 'false' ? false : text;
  return () => value;
};

function leaf(rule: string, evaluate: (scope: Scope) => unknown, dynamic: boolean): Template {
  return template((scope) => {
    const { recorder } = scope.run;
    return recorder === undefined ? evaluate(scope) : recorder.rule(rule, () => evaluate(scope));
  }, dynamic);
}

function template(make: Template['make'], dynamic: boolean): Template {
  return { make, dynamic, fill: (scope, list) => append(scope, list, make) };
}

function append(scope: Scope, list: unknown[], make: Template['make']): void {
  const { recorder } = scope.run;
  recorder?.enter(`[${list.length}]`);
  const value = make(scope);
  recorder?.leave();
  if (value !== undefined) list.push(value);
}

/** A template that is a list by itself. */
function listTemplate(fill: Template['fill'], dynamic: boolean): Template {
  return {
    fill,
    dynamic,
    make: (scope) => {
      const list: unknown[] = [];
      fill(scope, list);
      return list.length === 0 ? undefined : list;
    },
  };
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

interface Part {
  /** undefined: what is made becomes part of the object itself. */
  readonly name: string | undefined;
  readonly template: Template;
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

function objectMaker(
  parts: readonly Part[],
  when: Condition | undefined,
  lets: Lets,
  dynamic: boolean,
): Template['make'] {
  const bare = parts.every(({ name }) => name === undefined);
  return (outer, by) => {
    const scope = withLets(outer, lets);
    if (when !== undefined && !when(scope)) return undefined;
    const mark = scope.run.recorder?.mark();
    const made = bare
      ? firstPart(parts, scope)
      : objectOf(parts, scope, !dynamic || parts.every(isConstant), by);
    if (made === undefined && mark !== undefined) scope.run.recorder?.rollback(mark);
    return made;
  };
}

const isConstant = (part: Part): boolean => !part.template.dynamic;

function firstPart(parts: readonly Part[], scope: Scope): unknown {
  const [only, ...more] = parts;
  return more.length === 0 ? only?.template.make(scope) : objectOf(parts, scope, false);
}

function objectOf(parts: readonly Part[], scope: Scope, alwaysThere: boolean, by?: MakePart): unknown {
  const made: Record<string, unknown> = {};
  let alive = alwaysThere;
  let clearing = false;
  for (const part of parts) {
    const { name, template } = part;
    const value = by === undefined ? madeOf(part, scope) : by(part, () => madeOf(part, scope));
    if (value === undefined) continue;
    const clears = scope.run.nulls.heeded && isCleared(value);
    alive ||= template.dynamic && !clears;
    clearing ||= clears;
    if (name !== undefined) made[name] = value;
    else if (typeof value === 'object') Object.assign(made, value);
  }
  if (alive) return made;
  return clearing ? clearedOf(parts, made) : undefined;
}

/** An object of which there is nothing but what is deleted: parts of it, or, where the rest are constants, all of it. */
const clearedOf = (parts: readonly Part[], made: object): object | typeof cleared =>
  parts.some(isConstant) ? cleared : made;

function madeOf({ name, template }: Part, scope: Scope): unknown {
  const { recorder } = scope.run;
  if (recorder === undefined || name === undefined) return template.make(scope);
  recorder.enter(`.${name}`);
  const value = template.make(scope);
  recorder.leave();
  return value;
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

export type Lets = readonly (readonly [name: string, expression: (scope: Scope) => unknown])[];

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

const aside =
  (make: Template['make']): Template['make'] =>
  (scope) => {
    const { recorder } = scope.run;
    return recorder === undefined ? make(scope) : recorder.aside(() => make(scope));
  };

export function withLets(scope: Scope, lets: Lets): Scope {
  if (lets.length === 0) return scope;
  const inner = scope.inner();
  for (const [name, expression] of lets) inner.define(name, expression);
  return inner;
}

export function conditionOf(node: unknown, source: MapSource, library: Tables): Condition | undefined {
  const text = scalarText(node);
  return text === undefined ? undefined : located(node, source, () => compileCondition(text, library));
}
