// Texts that recur (types, search parameters, systems, units) and resources that are referred to, as small numbers.
import { Refusal } from '../../kernel/outcomes.ts';
import type { Connection } from './connection.ts';
import { ManyRows } from './many-rows.ts';
import { PointingParameters } from './pointing-parameters.ts';
import { ridsOfType } from './rids.ts';

/** What a name names; numbers are part of the file's layout. */
export const kinds = { type: 1, parameter: 2, system: 3, unit: 4 } as const;
export type Kind = keyof typeof kinds;

/** So that every rid is a safe integer. */
const typeLimit = 2 ** 13 - 1;
/** References to types that nobody has stored may take this many type numbers; then they are kept as outside references. */
const guessedTypeLimit = 2 ** 12;
/** Stands for a name that is not in the store: no row has it. */
export const unknownNumber = -1;
/** The empty name of every kind. As a type: the pseudo type of what references point at outside of this server. */
export const emptyNumber = 0;

const cacheLimit = 50_000;

export interface RidSpan {
  readonly low: number;
  readonly high: number;
}

/** What is true of all values of a parameter, so that a search can do less. */
export interface ParameterFact {
  /** At least the width of the widest range; Infinity where some are open. */
  readonly widest: number;
  /** 1: a resource may have several ranges or strings of the parameter. */
  readonly repeats: number;
}

const unmarked: ParameterFact = { widest: 0, repeats: 0 };

export const ridSpan = (type: number): RidSpan => ({
  low: type * ridsOfType,
  high: (type + 1) * ridsOfType - 1,
});

interface Local {
  readonly type: string;
  readonly id: string;
}

/** A relative reference; anything else is kept whole under the pseudo type. */
function localOf(target: string): Local {
  const match = /^([A-Z][A-Za-z]{1,63})\/([A-Za-z0-9\-.]{1,64})$/.exec(target);
  return match?.[1] === undefined || match[2] === undefined
    ? { type: '', id: target }
    : { type: match[1], id: match[2] };
}

/** Gives names their numbers. */
export interface Numbers {
  intern(kind: Kind, text: string): number;
  internTarget(target: string): number;
}

/** Looks names up; may be used on the reading connection. */
export class Names {
  readonly connection: Connection;
  readonly many = new ManyRows();
  readonly #cache: NumberCache;

  constructor(connection: Connection, cache: NumberCache) {
    this.connection = connection;
    this.#cache = cache;
  }

  get pointing(): PointingParameters {
    return this.#cache.pointing;
  }

  /** `unknownNumber` when nothing of that name was ever written. */
  find(kind: Kind, text: string): number {
    if (text === '') return emptyNumber;
    const known = this.#cache.get(kind, text);
    if (known !== undefined) return known;
    const sql = 'SELECT number FROM name WHERE kind = ? AND text = ?';
    const row = this.connection.row<{ number: number }>(sql, kinds[kind], text);
    if (row === undefined) return unknownNumber;
    this.#cache.set(kind, text, row.number);
    return row.number;
  }

  /** The rid of what a reference points at. */
  findTarget(target: string): number {
    const { type, id } = localOf(target);
    const rid = this.findResource(this.find('type', type), id);
    return rid ?? this.findResource(emptyNumber, target) ?? unknownNumber;
  }

  fact(parameter: number): ParameterFact {
    const sql = 'SELECT widest, repeats FROM parameter_fact WHERE parameter = ?';
    return this.connection.row<ParameterFact>(sql, parameter) ?? unmarked;
  }

  /** About how many resources of this type there are: how many rids were given away. */
  countedRids(type: number): number {
    const span = ridSpan(type);
    return this.greatestRid(span) - span.low;
  }

  protected greatestRid(span: RidSpan): number {
    const sql = 'SELECT max(rid) AS rid FROM resource WHERE rid BETWEEN ? AND ?';
    return this.connection.row<{ rid: number | null }>(sql, span.low, span.high)?.rid ?? span.low;
  }

  findResource(type: number, id: string): number | undefined {
    const sql = 'SELECT rid FROM resource WHERE type = ? AND id = ?';
    return this.connection.row<{ rid: number }>(sql, type, id)?.rid;
  }
}

/** Gives new numbers too; belongs to the writing connection and to the transaction that runs on it. */
export class NameWriter extends Names implements Numbers {
  readonly #cache: NumberCache;
  readonly #targets = new Map<string, number>();
  readonly #lastRid = new Map<number, number>();
  readonly #facts = new Map<number, ParameterFact>();
  readonly #onUndone: (undo: () => void) => void;

  constructor(connection: Connection, cache: NumberCache, onUndone: (undo: () => void) => void) {
    super(connection, cache);
    this.#cache = cache;
    this.#onUndone = onUndone;
  }

  intern(kind: Kind, text: string): number {
    const known = this.find(kind, text);
    if (known !== unknownNumber) return known;
    const number = this.#nextNumber(kind);
    if (kind === 'type' && number > typeLimit) {
      throw new Refusal('too-large', 'the store holds no more resource types');
    }
    this.connection.run('INSERT INTO name (kind, number, text) VALUES (?, ?, ?)', kinds[kind], number, text);
    this.#cache.set(kind, text, number);
    this.#onUndone(() => this.#cache.delete(kind, text));
    return number;
  }

  /** Notes that the parameter has a range of this width. */
  widen(parameter: number, width: number): void {
    const fact = this.#factOf(parameter);
    if (width > fact.widest) this.#note(parameter, { ...fact, widest: width });
  }

  /** Notes that a resource has several values of the parameter. */
  repeat(parameter: number): void {
    const fact = this.#factOf(parameter);
    if (fact.repeats === 0) this.#note(parameter, { ...fact, repeats: 1 });
  }

  #factOf(parameter: number): ParameterFact {
    const fact = this.#facts.get(parameter) ?? this.fact(parameter);
    this.#facts.set(parameter, fact);
    return fact;
  }

  #note(parameter: number, fact: ParameterFact): void {
    const sql = 'INSERT OR REPLACE INTO parameter_fact (parameter, widest, repeats) VALUES (?, ?, ?)';
    this.connection.run(sql, parameter, fact.widest, fact.repeats);
    this.#facts.set(parameter, fact);
    this.#onUndone(() => this.#facts.delete(parameter));
  }

  /** A rid that no resource had before. */
  newRid(type: number): number {
    const span = ridSpan(type);
    const last = this.#lastRid.get(type) ?? this.greatestRid(span);
    this.#lastRid.set(type, last + 1);
    return last + 1;
  }

  /** The rid of what a reference points at; where that is not there (yet), its place is made. */
  internTarget(target: string): number {
    const known = this.#targets.get(target);
    if (known !== undefined) return known;
    const { type, id } = localOf(target);
    const number = this.#typeOfTarget(type);
    const rid = number === unknownNumber ? this.#ridOf(emptyNumber, target) : this.#ridOf(number, id);
    this.#remember(target, rid);
    return rid;
  }

  #typeOfTarget(type: string): number {
    const known = this.find('type', type);
    if (known !== unknownNumber || this.#nextNumber('type') > guessedTypeLimit) return known;
    return this.intern('type', type);
  }

  #ridOf(type: number, id: string): number {
    return this.findResource(type, id) ?? this.#placeholder(type, id);
  }

  #placeholder(type: number, id: string): number {
    const rid = this.newRid(type);
    this.connection.run(
      `INSERT INTO resource (rid, type, id, live, version, updated, method) VALUES (?, ?, ?, 0, 0, 0, '')`,
      rid,
      type,
      id,
    );
    return rid;
  }

  /** What this reference pointed at has no place any more: the next reference to it makes a new one. */
  forgetTarget(target: string): void {
    const rid = this.#targets.get(target);
    if (rid === undefined) return;
    this.#targets.delete(target);
    this.#onUndone(() => this.#targets.set(target, rid));
  }

  #remember(target: string, rid: number): void {
    if (this.#targets.size >= cacheLimit) this.#targets.clear();
    this.#targets.set(target, rid);
    this.#onUndone(() => this.#targets.delete(target));
  }

  #nextNumber(kind: Kind): number {
    const sql = 'SELECT max(number) AS number FROM name WHERE kind = ?';
    return (this.connection.row<{ number: number | null }>(sql, kinds[kind])?.number ?? emptyNumber) + 1;
  }
}

/** Numbers that were looked up before, shared by both connections. */
export class NumberCache {
  readonly pointing = new PointingParameters();
  readonly #numbers: Readonly<Record<Kind, Map<string, number>>> = {
    type: new Map(),
    parameter: new Map(),
    system: new Map(),
    unit: new Map(),
  };

  get(kind: Kind, text: string): number | undefined {
    return this.#numbers[kind].get(text);
  }

  set(kind: Kind, text: string, number: number): void {
    const numbers = this.#numbers[kind];
    if (numbers.size >= cacheLimit) numbers.clear();
    numbers.set(text, number);
  }

  delete(kind: Kind, text: string): void {
    this.#numbers[kind].delete(text);
  }
}
