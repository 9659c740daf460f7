// What a rule sees while it runs: its group of segments, the field it was handed, the names defined around it.
import type { FhirResource } from '../fhir/resource.ts';
import type { Group } from './groups.ts';
import type { TimeZone } from './hl7-time.ts';
import type { Answers } from './mapper.ts';
import { hl7Null, textAt } from './places.ts';
import type { Recorder } from './recorder.ts';
import type { WireMessage, WireSegment } from './wire-message.ts';

export type Expression = (scope: Scope) => unknown;

/** A resource made of the message, or known before. */
export interface Made {
  readonly resource: FhirResource;
  readonly reference: string;
}

/** What all rules of one run share. */
export interface Run {
  readonly message: WireMessage;
  readonly answers: Answers;
  /** Constants: the facility's settings and what is known of the message. */
  readonly values: ReadonlyMap<string, unknown>;
  /** Names that a message map defines: read anew in the scope that asks. */
  readonly definitions: ReadonlyMap<string, Expression>;
  /** What they came to in each group. */
  readonly defined: Map<Group, Map<string, Memo>>;
  readonly zoneOf: (name: string) => TimeZone;
  readonly recorder: Recorder | undefined;
  /** How many of its name a segment is, from 1. */
  readonly occurrence: (segment: WireSegment) => number;
  readonly nulls: Nulls;
  /** Names that anything may bind in a scope; others are known at once not to be there. */
  readonly bindable: ReadonlySet<string>;
  readonly around: Around;
  readonly makings: Makings;
}

/** What rules look up in the scopes around them. */
export interface Around {
  /** How often anything was looked up there. */
  looks: number;
  watch: Watch | undefined;
}

/** Is told of all that is looked up outside of what is being made. Looks are bits of a number. */
export interface Watch {
  /** Outside begins here. */
  readonly outer: Scope;
  look(name: string, asking: Group): unknown;
  /** Gives what `since` is to be handed. */
  begin(): number;
  /** All looks since then. */
  since(before: number): number;
  /** A value that was kept is used again: what was looked at for it counts. */
  saw(looks: number): void;
  /** What is used depends on something that was not watched. */
  loseSight(): void;
}

/** One resource while it is made. */
export interface Making {
  /** What `make` gives, or gave in an earlier run that saw the same. */
  part<T>(key: unknown, make: () => T): T;
  end(): void;
}

export interface Makings {
  /** `map` makes a resource in this scope. To be ended before the next begins. */
  begin(map: object, outer: Scope): Making;
}

/** HL7's nulls that were met on the way to a value: they ask to have something deleted. */
export interface Nulls {
  seen: number;
  /** Whether what is being made changes something that is stored, so that a null has something to delete. */
  heeded: boolean;
}

/** One repetition of a field. */
export interface Item {
  readonly segment: WireSegment;
  readonly field: number;
  readonly repetition: number;
}

interface Remembered {
  readonly made: Made;
  readonly group: Group;
}

/** A value, and what was met on the way to it: nulls, and looks at the scopes around. */
export interface Memo {
  readonly value: unknown;
  readonly nulls: number;
  readonly looks: number;
  /** Those of them that were watched. */
  readonly seen: number;
}

interface Binding {
  readonly expression: Expression;
  readonly scope: Scope;
  memo?: Memo;
}

export class Scope {
  readonly run: Run;
  readonly group: Group;
  readonly item: Item | undefined;
  readonly #parent: Scope | undefined;
  #bindings: Map<string, Binding> | undefined;
  #made: Map<string, Remembered[]> | undefined;

  constructor(run: Run, group: Group, parent?: Scope, item?: Item) {
    this.run = run;
    this.group = group;
    this.item = item ?? parent?.item;
    this.#parent = parent;
  }

  within(group: Group): Scope {
    return new Scope(this.run, group, this);
  }

  on(item: Item): Scope {
    return new Scope(this.run, this.group, this, item);
  }

  /** A scope of its own for names that are to go no further. */
  inner(): Scope {
    return new Scope(this.run, this.group, this);
  }

  /** The segments of a name in the nearest group that has any. */
  segments(name: string): readonly WireSegment[] {
    for (let group: Group | undefined = this.group; group !== undefined; group = group.parent) {
      const found = group.segments.get(name);
      if (found !== undefined) return found;
    }
    return [];
  }

  /** The groups of a kind under the nearest group that has any. */
  groups(name: string): readonly Group[] {
    for (let group: Group | undefined = this.group; group !== undefined; group = group.parent) {
      const found = group.children.get(name);
      if (found !== undefined) return found;
    }
    return [];
  }

  /** Reads, and lets the recorder know. */
  text(item: Item, component: number | undefined, subcomponent: number): string | undefined {
    const { segment, field, repetition } = item;
    const text = textAt(segment, field, repetition, component, subcomponent);
    if (text === undefined) {
      if (isNullAt(item, component, subcomponent)) this.run.nulls.seen++;
    } else if (this.run.recorder !== undefined) {
      const occurrence = this.run.occurrence(segment);
      this.run.recorder.read({ ...item, occurrence, component, subcomponent });
    }
    return text;
  }

  define(name: string, expression: Expression): void {
    this.#bindings ??= new Map();
    this.#bindings.set(name, { expression, scope: this });
  }

  /** Known under its name, together with others of that name, here, further in, and to whoever is further out. */
  remember(name: string, made: Made): void {
    this.#keep(name, { made, group: this.group });
  }

  #keep(name: string, remembered: Remembered): void {
    this.#made ??= new Map();
    const same = this.#made.get(name);
    if (same === undefined) this.#made.set(name, [remembered]);
    else same.push(remembered);
    if (this.#parent !== undefined) this.#parent.#keep(name, remembered);
  }

  /** A name's value: nearest first, then the message map's definitions, then the constants. Lists stand for what was made. */
  value(name: string): unknown {
    const { bindable, around, values } = this.run;
    if (bindable.has(name)) {
      around.looks++;
      const found = this.nearest(name, this.group);
      if (found !== nowhere) return found;
    }
    return this.#defined(name) ?? values.get(name);
  }

  /** What a name stands for in this scope or around it, asked for in `asking`; a symbol where no scope knows it. */
  nearest(name: string, asking: Group): unknown {
    const { watch } = this.run.around;
    if (watch?.outer === this) return watch.look(name, asking);
    const binding = this.#bindings?.get(name);
    if (binding !== undefined) return evaluate(binding);
    const made = this.#madeHere(name, asking);
    if (made !== undefined) return made;
    return this.#parent === undefined ? nowhere : this.#parent.nearest(name, asking);
  }

  /** A definition sees fields and other definitions only, so within a group it has one value; where it sees more, the first holds. */
  #defined(name: string): unknown {
    const { run } = this;
    const definition = run.definitions.get(name);
    if (definition === undefined || run.recorder !== undefined) return definition?.(this);
    const group = run.defined.get(this.group) ?? new Map<string, Memo>();
    if (group.size === 0) run.defined.set(this.group, group);
    const known = group.get(name);
    const memo = known ?? memoOf(definition, this);
    if (known === undefined) group.set(name, memo);
    else count(known, run);
    if (memo.looks > 0) run.around.watch?.loseSight();
    return memo.value;
  }

  /** Of the groups around, only what was made in them, not what was made in the neighbours that they hold. */
  #madeHere(name: string, asking: Group): readonly Made[] | undefined {
    const remembered = this.#made?.get(name);
    if (remembered === undefined) return undefined;
    const own = this.group === asking ? remembered : remembered.filter(({ group }) => group === this.group);
    const byReference = new Map(own.map(({ made }) => [made.reference, made]));
    return byReference.size === 0 ? undefined : [...byReference.values()];
  }
}

/** Stands for a name that no scope knows. */
const nowhere = Symbol('nowhere');

function evaluate(binding: Binding): unknown {
  const { run } = binding.scope;
  // A recorder wants to see what is read each time.
  if (run.recorder !== undefined) return binding.expression(binding.scope);
  const { memo } = binding;
  if (memo === undefined) return (binding.memo = memoOf(binding.expression, binding.scope)).value;
  count(memo, run);
  run.around.watch?.saw(memo.seen);
  return memo.value;
}

function memoOf(expression: Expression, scope: Scope): Memo {
  const { nulls, around } = scope.run;
  const { watch } = around;
  const [nullsBefore, looksBefore, watchedBefore] = [nulls.seen, around.looks, watch?.begin() ?? 0];
  const value = expression(scope);
  const seen = watch?.since(watchedBefore) ?? 0;
  return { value, seen, nulls: nulls.seen - nullsBefore, looks: around.looks - looksBefore };
}

/** What was met the first time counts each time. */
function count({ nulls, looks }: Memo, run: Run): void {
  run.nulls.seen += nulls;
  run.around.looks += looks;
}

/** Whether the place, or the repetition that it is in, holds HL7's null. */
export function isNullAt(
  { segment, field, repetition }: Item,
  component: number | undefined,
  subcomponent = 1,
): boolean {
  if (segment.source(field, repetition) === hl7Null) return true;
  return component !== undefined && segment.text(field, repetition, component, subcomponent) === hl7Null;
}
