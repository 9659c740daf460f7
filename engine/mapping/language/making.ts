// What a compiled template does while a message is mapped: makes values, lists and objects, and lets the recorder know by which rule.
import { cleared, isCleared } from '../cleared.ts';
import type { Scope } from '../scope.ts';
import type { Condition } from './expression.ts';

export interface Template {
  /** What is made; undefined when nothing is. `by` makes the parts of an object, where it is not left to them. */
  readonly make: (scope: Scope, by?: MakePart) => unknown;
  /** Appends what is made to a list. */
  readonly fill: (scope: Scope, list: unknown[]) => void;
  /** Depends on the message: when all such parts of an object come to nothing, so does the object. */
  readonly dynamic: boolean;
}

export type MakePart = (part: object, make: () => unknown) => unknown;

/** Nothing, where the sender has it deleted, is more than nothing. */
export function orCleared(scope: Scope, make: Template['make']): unknown {
  const { nulls } = scope.run;
  const before = nulls.seen;
  return make(scope) ?? (nulls.heeded && nulls.seen > before ? cleared : undefined);
}

/** `true` and `false` are no texts. */
export const constant = (text: string): (() => unknown) => {
  const value = text === 'true' ? true : text === 'false' ? false : text;
  return () => value;
};

/** One value; `rule` names its place in the maps for the recorder. */
export function leaf(rule: string, evaluate: (scope: Scope) => unknown, dynamic: boolean): Template {
  return template((scope) => {
    const { recorder } = scope.run;
    return recorder === undefined ? evaluate(scope) : recorder.rule(rule, () => evaluate(scope));
  }, dynamic);
}

/** A template that makes one thing. */
export function template(make: Template['make'], dynamic: boolean): Template {
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
export function listTemplate(fill: Template['fill'], dynamic: boolean): Template {
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

/** Of an object. */
export interface Part {
  /** undefined: what is made becomes part of the object itself. */
  readonly name: string | undefined;
  readonly template: Template;
}

/** Makes an object where `when` holds, in a scope that knows `lets`. */
export function objectMaker(
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

/** Names of a scope's own, and what they stand for. */
export type Lets = readonly (readonly [name: string, expression: (scope: Scope) => unknown])[];

/** Makes the value of a name, which is no element by itself. */
export const aside =
  (make: Template['make']): Template['make'] =>
  (scope) => {
    const { recorder } = scope.run;
    return recorder === undefined ? make(scope) : recorder.aside(() => make(scope));
  };

/** The same scope where there are none. */
export function withLets(scope: Scope, lets: Lets): Scope {
  if (lets.length === 0) return scope;
  const inner = scope.inner();
  for (const [name, expression] of lets) inner.define(name, expression);
  return inner;
}
