// What a receiver was given: whether each message came, in its sender's order, and why one came twice.

/** Changes whenever something happens after which a delivery may come again although it was answered: a kill, a full disk. */
export type Disturbance = () => number;

interface Taken {
  /** Whether the sender of the delivery was told. */
  readonly wasAnswered: boolean;
  readonly disturbance: number;
}

export class Ledger {
  readonly name: string;
  /** By sender: the last of its messages that came; those before it came too. */
  readonly last = new Map<number, number>();
  /** Came again because the answer was lost: allowed, and known by its control id. */
  againAfterLostAnswer = 0;
  /** Came again after a kill or a full disk had come between the answer and its being kept. */
  againAfterDisturbance = 0;
  readonly problems: string[] = [];
  readonly #taken = new Map<string, Taken>();
  readonly #disturbance: Disturbance;

  constructor(name: string, disturbance: Disturbance) {
    this.name = name;
    this.#disturbance = disturbance;
  }

  /** Of the control id `S3-17`. */
  take(control: string, wasAnswered: boolean): void {
    const before = this.#taken.get(control);
    if (before === undefined) this.#first(control);
    else if (!before.wasAnswered) this.againAfterLostAnswer += 1;
    else if (before.disturbance !== this.#disturbance()) this.againAfterDisturbance += 1;
    else this.problems.push(`${this.name}: ${control} came again although nothing had gone wrong`);
    this.#taken.set(control, { wasAnswered, disturbance: this.#disturbance() });
  }

  get count(): number {
    return this.#taken.size;
  }

  #first(control: string): void {
    const [sender = NaN, count = NaN] = control.slice(1).split('-').map(Number);
    const last = this.last.get(sender) ?? 0;
    if (count !== last + 1) this.problems.push(`${this.name}: ${control} came after ${last} of its sender`);
    this.last.set(sender, Math.max(last, count));
  }
}

/** MSH-10. */
export const controlOf = (message: string): string => message.split('\r', 1)[0]?.split('|')[9] ?? '';
