// The way of a message through the engine, as two lists of steps. Each step is a function of (message, parts) in the file of its name.
//
//   arrival      one durable commit, then the answer goes back on the wire
//   processing   later, in the order of arrival of each channel; all of it in one commit
import type { MessageState } from '../storage/message-store.ts';
import { acknowledge } from './acknowledge.ts';
import { answerQuery } from './answer-query.ts';
import { announce } from './announce.ts';
import { check } from './check.ts';
import { commit } from './commit.ts';
import { filter } from './filter.ts';
import { identify } from './identify.ts';
import { indexKeys } from './index-keys.ts';
import { keep } from './keep.ts';
import { map } from './map.ts';
import { parse } from './parse.ts';
import type { Arrival, Receipt } from './ports.ts';
import { route } from './route.ts';
import {
  isDeadEnd,
  type ArrivalParts,
  type Committed,
  type DeadEnd,
  type ProcessingParts,
  type Waiting,
} from './stages.ts';

/** Resolves once the bytes are durable. */
export const arrive: Way<Arrival, ArrivalParts, Receipt> = inOrder([
  identify,
  answerQuery,
  keep,
  acknowledge,
]);

/** To be run inside the transaction whose unit is among the parts. A step that comes to a dead end is the last one. */
const process: Way<Waiting, ProcessingParts, Committed | DeadEnd> = inOrder([
  parse,
  indexKeys,
  filter,
  map,
  check,
  commit,
  route,
  announce,
]);

/** The same; what comes to a dead end is among the dead then. Answers the state in which it is. */
export function processOrBury(message: Waiting, parts: ProcessingParts): Promise<MessageState> {
  const { tracer } = parts;
  if (tracer === undefined) return processOne(message, parts);
  const { id, channel, messageType, trace } = message.record;
  const facts = { 'kiungo.message': id, 'kiungo.channel': channel, 'kiungo.type': messageType };
  const start = { kind: 'internal', facts, parent: trace } as const;
  return tracer.span(`process ${channel}`, start, async (span) => {
    const state = await processOne(message, parts);
    span.note({ 'kiungo.state': state });
    if (state === 'dead') span.fail(state);
    return state;
  });
}

async function processOne(message: Waiting, parts: ProcessingParts): Promise<MessageState> {
  const { record } = message;
  const end = await process(message, parts);
  if (!isDeadEnd(end)) return end.record.state;
  const change = { state: 'dead', reason: end.deadEnd, attempts: record.attempts + 1 } as const;
  await parts.unit.messages.change(record.id, change);
  return 'dead';
}

type Way<From, Parts, To> = (message: From, parts: Parts) => Promise<To>;
type Step<From, To, Parts> = (message: From, parts: Parts) => To | Promise<To>;
type MayEnd<From, To, Parts> = Step<From, To | DeadEnd, Parts>;

function inOrder<A, B, C, D, E, Parts>(
  steps: readonly [Step<A, B, Parts>, Step<B, C, Parts>, Step<C, D, Parts>, Step<D, E, Parts>],
): Way<A, Parts, E>;
function inOrder<A, B, C, D, E, F, G, H, I, Parts>(
  steps: readonly [
    MayEnd<A, B, Parts>,
    MayEnd<B, C, Parts>,
    MayEnd<C, D, Parts>,
    MayEnd<D, E, Parts>,
    MayEnd<E, F, Parts>,
    MayEnd<F, G, Parts>,
    MayEnd<G, H, Parts>,
    MayEnd<H, I, Parts>,
  ],
): Way<A, Parts, I | DeadEnd>;
function inOrder<Parts>(steps: readonly Step<never, object, Parts>[]): Way<object, Parts, object> {
  return async (message, parts) => {
    let current = message;
    for (const step of steps) {
      current = await step(current as never, parts);
      if (isDeadEnd(current)) return current;
    }
    return current;
  };
}
