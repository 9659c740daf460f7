// One try of one event: the messages that descend from it are counted, its effects are collected, and it ends once:
// completed when nothing descends from it any more, failed when a node fails or the time is up.
import type { FlowEffect } from '../../engine/index.ts';
import { FlowNodeError } from './error-text.ts';

/** More than this in one try is a flow gone wild. */
const maxEffects = 1000;

export interface TryEnd {
  readonly outcome: 'completed' | 'failed';
  readonly effects: readonly FlowEffect[];
  /** Why it failed; without patient data. */
  readonly text: string;
}

/** Says where a message is: at the same time one message may be at several nodes, or twice at one. */
class Tally {
  readonly #counts = new Map<object, Map<string, number>>();
  size = 0;

  add(message: object, nodeId: string): void {
    const nodes = this.#counts.get(message) ?? new Map<string, number>();
    nodes.set(nodeId, (nodes.get(nodeId) ?? 0) + 1);
    this.#counts.set(message, nodes);
    this.size += 1;
  }

  /** False when it was not there. */
  remove(message: object, nodeId: string): boolean {
    const nodes = this.#counts.get(message);
    const count = nodes?.get(nodeId) ?? 0;
    if (nodes === undefined || count === 0) return false;
    if (count > 1) nodes.set(nodeId, count - 1);
    else nodes.delete(nodeId);
    if (nodes.size === 0) this.#counts.delete(message);
    this.size -= 1;
    return true;
  }
}

class Try {
  readonly onTheWay = new Tally();
  readonly atWork = new Tally();
  readonly effects: FlowEffect[] = [];
  readonly ordinals = new Map<string, number>();
  readonly eventId: string;
  readonly timer: NodeJS.Timeout;
  readonly ended: (end: TryEnd) => void;
  /** Until the first message has left the event's own node. */
  beginning = true;

  constructor(eventId: string, timer: NodeJS.Timeout, ended: (end: TryEnd) => void) {
    this.eventId = eventId;
    this.timer = timer;
    this.ended = ended;
  }

  get idle(): boolean {
    return !this.beginning && this.onTheWay.size === 0 && this.atWork.size === 0;
  }
}

export interface Tries {
  /** `key` is what the messages carry; `ended` is called once. `send` hands out the first message. */
  begin(key: string, eventId: string, limitMs: number, send: () => void, ended: (end: TryEnd) => void): void;
  /** A message was handed to the wire towards a node. */
  onTheWay(key: string, message: object, nodeId: string): void;
  /** A node took a message, from a wire or by a direct call. */
  taken(key: string, message: object, nodeId: string): void;
  /** A node is done with a message; without meaning when it was not at work on it. */
  done(key: string, message: object, nodeId: string): void;
  fail(key: string, text: string): void;
  failAll(text: string): void;
  /** Throws when the try is over, or has too many effects. */
  addEffect(key: string | undefined, effect: FlowEffect): void;
  /** The event's id and how often this node has asked: the same at every try of the same event. Throws when the try is over. */
  nextOrdinal(
    key: string | undefined,
    nodeId: string,
  ): { readonly eventId: string; readonly ordinal: number };
  readonly count: number;
}

export function createTries(): Tries {
  const tries = new Map<string, Try>();

  const end = (key: string, outcome: TryEnd['outcome'], text: string): void => {
    const one = tries.get(key);
    if (one === undefined) return;
    tries.delete(key);
    clearTimeout(one.timer);
    one.ended({ outcome, effects: outcome === 'completed' ? one.effects : [], text });
  };

  /** A node may say "done" just before it sends, or a Complete node may take over: look again a turn later. */
  const settle = (key: string): void => {
    if (tries.get(key)?.idle !== true) return;
    setImmediate(() => {
      if (tries.get(key)?.idle === true) end(key, 'completed', '');
    });
  };

  const mustBeOpen = (key: string | undefined): Try => {
    const one = key === undefined ? undefined : tries.get(key);
    if (one !== undefined) return one;
    throw new FlowNodeError(
      key === undefined
        ? 'this message does not come from a "fhir event" or "hl7 in" node, so nothing can be kept with its end'
        : 'the event of this message is over: it was finished, it failed, or its time ran out before this message came',
    );
  };

  return {
    begin(key, eventId, limitMs, send, ended) {
      const timer = setTimeout(() => end(key, 'failed', 'the flow did not finish in time'), limitMs);
      const one = new Try(eventId, timer, ended);
      tries.set(key, one);
      send();
      one.beginning = false;
      settle(key);
    },
    onTheWay: (key, message, nodeId) => tries.get(key)?.onTheWay.add(message, nodeId),
    taken(key, message, nodeId) {
      const one = tries.get(key);
      one?.atWork.add(message, nodeId);
      one?.onTheWay.remove(message, nodeId);
    },
    done(key, message, nodeId) {
      if (tries.get(key)?.atWork.remove(message, nodeId) === true) settle(key);
    },
    fail: (key, text) => end(key, 'failed', text),
    failAll(text) {
      for (const key of [...tries.keys()]) end(key, 'failed', text);
    },
    addEffect(key, effect) {
      const one = mustBeOpen(key);
      if (one.effects.length >= maxEffects) {
        throw new FlowNodeError(`one event may have ${maxEffects} effects`);
      }
      one.effects.push(effect);
    },
    nextOrdinal(key, nodeId) {
      const one = mustBeOpen(key);
      const ordinal = one.ordinals.get(nodeId) ?? 0;
      one.ordinals.set(nodeId, ordinal + 1);
      return { eventId: one.eventId, ordinal };
    },
    get count() {
      return tries.size;
    },
  };
}
