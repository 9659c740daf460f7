// What a rule sees while it runs: its group of segments, the field it was handed, the names defined around it.
import type { FhirResource } from '../fhir/resource.ts';
import type { Group } from './groups.ts';
import type { TimeZone } from './hl7-time.ts';
import type { Answers } from './mapper.ts';
import { textAt } from './places.ts';
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
  readonly zoneOf: (name: string) => TimeZone;
  readonly recorder: Recorder | undefined;
  /** How many of its name a segment is, from 1. */
  readonly occurrence: (segment: WireSegment) => number;
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

interface Binding {
  readonly expression: Expression;
  readonly scope: Scope;
  memo?: { readonly value: unknown };
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
    if (text !== undefined && this.run.recorder !== undefined) {
      const occurrence = this.run.occurrence(segment);
      this.run.recorder.read({ ...item, occurrence, component, subcomponent });
    }
    return text;
  }

  define(name: string, expression: Expression): void {
    this.#bindings ??= new Map();
    this.#bindings.set(name, { expression, scope: this });
  }

  /** This scope and those around it, nearest first. */
  *#outwards(): Generator<Scope> {
    yield this;
    if (this.#parent !== undefined) yield* this.#parent.#outwards();
  }

  /** Known under its name, together with others of that name, here, further in, and to whoever is further out. */
  remember(name: string, made: Made): void {
    for (const scope of this.#outwards()) {
      scope.#made ??= new Map();
      const same = scope.#made.get(name);
      if (same === undefined) scope.#made.set(name, [{ made, group: this.group }]);
      else same.push({ made, group: this.group });
    }
  }

  /** A name's value: nearest first, then the message map's definitions, then the constants. Lists stand for what was made. */
  value(name: string): unknown {
    for (const scope of this.#outwards()) {
      const binding = scope.#bindings?.get(name);
      if (binding !== undefined) return this.#evaluate(binding);
      const made = this.#madeIn(scope, name);
      if (made !== undefined) return made;
    }
    return this.run.definitions.get(name)?.(this) ?? this.run.values.get(name);
  }

  /** Of the groups around, only what was made in them, not what was made in the neighbours that they hold. */
  #madeIn(scope: Scope, name: string): readonly Made[] | undefined {
    const remembered = scope.#made?.get(name);
    if (remembered === undefined) return undefined;
    const own =
      scope.group === this.group ? remembered : remembered.filter(({ group }) => group === scope.group);
    const byReference = new Map(own.map(({ made }) => [made.reference, made]));
    return byReference.size === 0 ? undefined : [...byReference.values()];
  }

  #evaluate(binding: Binding): unknown {
    // A recorder wants to see what is read each time.
    if (this.run.recorder !== undefined) return binding.expression(binding.scope);
    binding.memo ??= { value: binding.expression(binding.scope) };
    return binding.memo.value;
  }
}
