// The memory that all bodies have together, from their first byte until what they ask for is done: many large ones at once are refused for
// the moment, instead of taking down the engine with everybody else's.
import { unavailable, type Refusal } from '../kernel/outcomes.ts';
import { BodyTurns } from './body-turns.ts';

/** Bodies up to this are counted and never refused, bytes: a result or a sign-in goes on however many large bodies there are. */
const small = 64 * 1024;

/** Of all the room, what is worked on at once has this part. */
const workedOn = 1 / 4;

/** Room for so many bytes. */
export class BodyRoom {
  readonly turns: BodyTurns;
  readonly #limit: number;
  #used = 0;

  constructor(limit: number) {
    this.turns = new BodyTurns(limit * workedOn);
    this.#limit = limit;
  }

  /** Of one body; nothing yet. */
  share(): BodyShare {
    return new BodyShare(this);
  }

  fits(bytes: number): boolean {
    return this.#used + bytes <= this.#limit;
  }

  /** `bytes` are given back where they are negative. */
  use(bytes: number): void {
    this.#used += bytes;
  }
}

/** What one body holds. */
export class BodyShare {
  readonly #room: BodyRoom;
  #held = 0;
  #underWay = 0;

  constructor(room: BodyRoom) {
    this.#room = room;
  }

  /** Refusal `unavailable` where there is no room for so many bytes more; they are not held yet. */
  refusing(bytes: number): Refusal | undefined {
    return this.#held + bytes > small && !this.#room.fits(bytes) ? full() : undefined;
  }

  /** Holds so many bytes more, or answers as `refusing` does. */
  take(bytes: number): Refusal | undefined {
    const refusal = this.refusing(bytes);
    if (refusal !== undefined) return refusal;
    this.#held += bytes;
    this.#room.use(bytes);
    return undefined;
  }

  /** Resolves when what is held may be worked on, until it is released. To be called once. */
  async begin(): Promise<void> {
    this.#underWay = await this.#room.turns.begin(this.#held);
  }

  /** Leaves what is held to a share that outlives this one; releasing this one does nothing then. */
  passOn(): BodyShare {
    const other = new BodyShare(this.#room);
    [other.#held, other.#underWay] = [this.#held, this.#underWay];
    this.#held = this.#underWay = 0;
    return other;
  }

  /** May be called twice. */
  release(): void {
    this.#room.use(-this.#held);
    this.#room.turns.end(this.#underWay);
    this.#held = this.#underWay = 0;
  }
}

const full = (): Refusal =>
  unavailable('as many large bodies are worked on as there is memory for; send it again in a moment');
