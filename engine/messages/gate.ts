// How much a destination may be handed now: nothing while a person holds it or its circuit is open, and no more than its rate.

export interface GateRules {
  /** After `failures` in a row nothing is sent for `pauseMs`; then one try shows whether it is over. */
  readonly circuit?: { readonly failures: number; readonly pauseMs: number };
  readonly perSecond?: number;
}

export interface GateState {
  readonly circuit: 'closed' | 'open' | 'trying';
  /** Failures in a row. */
  readonly failures: number;
  /** When the first of them ended; undefined where there is none. */
  readonly failingSince?: number;
  /** When the other side answered last; undefined where it has not since the start. */
  readonly answeredAt?: number;
}

export class Gate {
  readonly #rules: GateRules;
  #failures = 0;
  #failingSince: number | undefined;
  #answeredAt: number | undefined;
  #openUntil = 0;
  #tokens: number;
  #filledAt: number | undefined;

  constructor(rules: GateRules) {
    this.#rules = rules;
    this.#tokens = this.#capacity;
  }

  /** Whether each delivery counts, because only so many a second are let through. */
  get isCounted(): boolean {
    return this.#rules.perSecond !== undefined;
  }

  /** How many deliveries may be begun now, `underWay` being begun already. */
  allowance(now: number, underWay: number): number {
    const { state } = { state: this.state(now).circuit };
    if (state === 'open') return 0;
    const byRate = this.#rules.perSecond === undefined ? Number.MAX_SAFE_INTEGER : this.#filled(now);
    return state === 'trying' ? Math.min(byRate, Math.max(0, 1 - underWay)) : byRate;
  }

  begun(count: number): void {
    if (this.#rules.perSecond !== undefined) this.#tokens -= count;
  }

  /** `reached`: the other side answered, whatever it said. */
  ended(reached: boolean, now: number): void {
    this.#failures = reached ? 0 : this.#failures + 1;
    this.#failingSince = reached ? undefined : (this.#failingSince ?? now);
    if (reached) this.#answeredAt = now;
    const { circuit } = this.#rules;
    if (circuit !== undefined && this.#failures >= circuit.failures) this.#openUntil = now + circuit.pauseMs;
  }

  state(now: number): GateState {
    const limit = this.#rules.circuit?.failures ?? Number.MAX_SAFE_INTEGER;
    const broken = this.#failures >= limit;
    return {
      circuit: !broken ? 'closed' : now < this.#openUntil ? 'open' : 'trying',
      failures: this.#failures,
      ...(this.#failingSince === undefined ? {} : { failingSince: this.#failingSince }),
      ...(this.#answeredAt === undefined ? {} : { answeredAt: this.#answeredAt }),
    };
  }

  get #capacity(): number {
    return Math.max(1, this.#rules.perSecond ?? 1);
  }

  #filled(now: number): number {
    const passed = now - (this.#filledAt ?? now);
    this.#filledAt = now;
    const more = (passed * (this.#rules.perSecond ?? 0)) / 1000;
    this.#tokens = Math.min(this.#capacity, this.#tokens + more);
    return Math.max(0, Math.floor(this.#tokens));
  }
}
