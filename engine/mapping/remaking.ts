// What a run over a message looked at for each thing that it made, so that the run with the answers makes again only what looks
// otherwise to it then.
import type { Group } from './groups.ts';
import type { Item, Making, Makings, Scope, Watch } from './scope.ts';

/** A thing that was made, and the looks (a bit each) that must come out the same for it to be the same. */
interface Part {
  readonly value: unknown;
  readonly looks: number;
}

/** A name that was looked up outside of what was being made, and what it came to. */
interface Look {
  readonly name: string;
  readonly asking: Group;
  readonly value: unknown;
}

/** Bits of a whole number; the last stands for a look that nobody can say of whether it would come out the same. */
const mostLooks = 30;
const unsure = 1 << mostLooks;

/** Makes everything, and remembers nothing. */
const plainly: Making = { part: (_key, make) => make(), end: () => undefined };

export const makePlainly: Makings = { begin: () => plainly };

/** One resource of the first run. */
class FirstMaking implements Making, Watch {
  readonly outer: Scope;
  readonly item: Item | undefined;
  readonly parts = new Map<unknown, Part>();
  readonly looks: Look[] = [];
  #bits = 0;

  constructor(outer: Scope) {
    this.outer = outer;
    this.item = outer.item;
    outer.run.around.watch = this;
  }

  /** For as long as it lasts, what is looked up has one value. */
  look(name: string, asking: Group): unknown {
    const known = this.looks.findIndex((one) => one.name === name && one.asking === asking);
    const place = known < 0 ? this.looks.length : known;
    this.#bits |= place < mostLooks ? 1 << place : unsure;
    if (known >= 0) return this.looks[known]?.value;
    const value = lookAgain(name, asking, this.outer);
    this.looks.push({ name, asking, value });
    return value;
  }

  begin(): number {
    const before = this.#bits;
    this.#bits = 0;
    return before;
  }

  since(before: number): number {
    const looks = this.#bits;
    this.#bits |= before;
    return looks;
  }

  saw(looks: number): void {
    this.#bits |= looks;
  }

  loseSight(): void {
    this.#bits |= unsure;
  }

  part<T>(key: unknown, make: () => T): T {
    const before = this.begin();
    const value = make();
    this.parts.set(key, { value, looks: this.since(before) });
    return value;
  }

  end(): void {
    this.outer.run.around.watch = undefined;
  }
}

/** One resource of the run with the answers. */
class SecondMaking implements Making {
  readonly #outer: Scope;
  readonly #first: FirstMaking;
  /** Looks that were taken again, and those of them that came out otherwise. */
  #taken = unsure;
  #changed = unsure;

  constructor(outer: Scope, first: FirstMaking) {
    this.#outer = outer;
    this.#first = first;
  }

  part<T>(key: unknown, make: () => T): T {
    const first = this.#first.parts.get(key);
    return first === undefined || this.#isChanged(first.looks) ? make() : (first.value as T);
  }

  #isChanged(looks: number): boolean {
    for (let place = 0; (looks & this.#changed) === 0 && (looks & ~this.#taken) !== 0; place += 1) {
      if ((looks & ~this.#taken & (1 << place)) !== 0) this.#take(place);
    }
    return (looks & this.#changed) !== 0;
  }

  #take(place: number): void {
    const look = this.#first.looks[place];
    this.#taken |= 1 << place;
    if (look === undefined || !isSame(lookAgain(look.name, look.asking, this.#outer), look.value)) {
      this.#changed |= 1 << place;
    }
  }

  end(): void {
    // Nothing is kept of it.
  }
}

/** Without being watched. */
function lookAgain(name: string, asking: Group, outer: Scope): unknown {
  const { around } = outer.run;
  const { watch } = around;
  around.watch = undefined;
  const value = outer.nearest(name, asking);
  around.watch = watch;
  return value;
}

/** What the first run made. */
export class FirstMakings implements Makings {
  readonly #made = new Map<Group, Map<object, FirstMaking[]>>();

  begin(map: object, outer: Scope): Making {
    const making = new FirstMaking(outer);
    const here = this.#made.get(outer.group) ?? new Map<object, FirstMaking[]>();
    if (here.size === 0) this.#made.set(outer.group, here);
    const same = here.get(map);
    if (same === undefined) here.set(map, [making]);
    else same.push(making);
    return making;
  }

  /** For one run. Which of several makings of a kind in a group is compared with which makes it quicker, and nothing else. */
  again(): Makings {
    const turns = new Map<readonly FirstMaking[], number>();
    return {
      begin: (map, outer) => {
        const all = this.#made.get(outer.group)?.get(map) ?? [];
        const turn = turns.get(all) ?? 0;
        turns.set(all, turn + 1);
        const first = all[turn];
        return first !== undefined && isSameItem(first.item, outer.item)
          ? new SecondMaking(outer, first)
          : plainly;
      },
    };
  }
}

const isSameItem = (one: Item | undefined, other: Item | undefined): boolean =>
  one?.segment === other?.segment && one?.field === other?.field && one?.repetition === other?.repetition;

/** Lists and what was made by their members: they are put together anew each time. */
function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((member, place) => isSame(member, other[place]));
  }
  return isMade(one) && isMade(other) && one.reference === other.reference && one.resource === other.resource;
}

const isMade = (value: unknown): value is { readonly reference: unknown; readonly resource: unknown } =>
  typeof value === 'object' && value !== null && 'reference' in value && 'resource' in value;
