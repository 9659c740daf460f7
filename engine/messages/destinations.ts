// Whom the outbox hands to: the sender of each destination, the rules by which it is handed to, and whether a person holds it.
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import { Gate, type GateRules, type GateState } from './gate.ts';
import { queueName } from './hand-over.ts';
import type { Sender } from './ports.ts';
import { retryPolicies, type RetryPolicy } from './retry.ts';
import type { SettlementRules } from './settle.ts';

/** How a destination is treated; everything has a usual value. */
export interface DestinationRules extends GateRules {
  readonly policy?: RetryPolicy;
  readonly answers?: SettlementRules['answers'];
  /** The channel that takes in what the receiver answers. */
  readonly responseTo?: string;
}

export interface DestinationState extends GateState {
  readonly isHeld: boolean;
  readonly underWay: number;
}

export interface Destination {
  readonly sender: Sender;
  readonly rules: SettlementRules;
  readonly responseTo: string | undefined;
  readonly gate: Gate;
}

interface DestinationsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Lanes of one destination that may be worked on at the same time. */
  readonly parallel: number;
  /** How many are worked on now, by destination. */
  readonly countUnderWay: () => ReadonlyMap<string, number>;
}

/** By name without `send:`. */
export class Destinations {
  readonly #options: DestinationsOptions;
  readonly #known = new Map<string, Destination>();
  readonly #held = new Set<string>();
  readonly #closing = new Set<Promise<void>>();

  constructor(options: DestinationsOptions) {
    this.#options = options;
  }

  get(name: string): Destination | undefined {
    return this.#known.get(name);
  }

  register(name: string, sender: Sender, given: DestinationRules): void {
    const { policy = retryPolicies.sending, answers = {}, responseTo, ...gate } = given;
    const replaced = this.#known.get(name);
    this.#known.set(name, { sender, rules: { policy, answers }, responseTo, gate: new Gate(gate) });
    if (replaced !== undefined) this.#close(replaced);
  }

  unregister(name: string): void {
    const gone = this.#known.get(name);
    this.#known.delete(name);
    if (gone !== undefined) this.#close(gone);
  }

  hold(name: string): void {
    this.#held.add(name);
  }

  letGo(name: string): void {
    this.#held.delete(name);
  }

  isHeld(name: string): boolean {
    return this.#held.has(name);
  }

  get count(): number {
    return this.#known.size;
  }

  /** How many lanes of each queue may be begun: each has its own share, so that a receiver that is slow holds up no other. */
  limits(): Readonly<Record<string, number>> {
    const { clock, parallel, countUnderWay } = this.#options;
    const now = clock.now();
    const counts = countUnderWay();
    const known = [...this.#known].map(([name, { gate }]): [string, number] => {
      const underWay = counts.get(name) ?? 0;
      return [queueName(name), Math.min(gate.allowance(now, underWay), parallel - underWay)];
    });
    const stopped = [...this.#held].map((name): [string, number] => [queueName(name), 0]);
    return Object.fromEntries([...known, ...stopped]);
  }

  /** How many deliveries of a lane may be taken together, of the queues whose destinations are wanted. */
  runs(isWanted: (destination: Destination) => boolean, most: number): Readonly<Record<string, number>> {
    const wanted = [...this.#known].filter(([, destination]) => isWanted(destination));
    return Object.fromEntries(wanted.map(([name]) => [queueName(name), most]));
  }

  state(): Readonly<Record<string, DestinationState>> {
    const { clock, countUnderWay } = this.#options;
    const now = clock.now();
    const counts = countUnderWay();
    const states = [...this.#known].map(([name, { gate }]): [string, DestinationState] => [
      name,
      { ...gate.state(now), isHeld: this.#held.has(name), underWay: counts.get(name) ?? 0 },
    ]);
    return Object.fromEntries(states);
  }

  /** Resolves when all senders are closed, those that were replaced or removed too. */
  async close(): Promise<void> {
    for (const destination of this.#known.values()) this.#close(destination);
    await Promise.all(this.#closing);
  }

  #close({ sender }: Destination): void {
    const closed: Promise<void> = sender
      .close()
      .catch((cause: unknown) => this.#options.logger.error({}, 'a sender could not be closed', cause))
      .finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }
}
