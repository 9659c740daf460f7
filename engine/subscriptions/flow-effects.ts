// What a flow wants done, looked at before any of it is: a bad effect leaves the event open and writes nothing.
import type { Ids } from '../kernel/ids.ts';
import { badRequest } from '../kernel/outcomes.ts';
import type { Compose } from '../messages/compose.ts';
import type { RepositoryUnit } from '../repository/repository.ts';
import type { FlowEffect } from './flow-port.ts';

const mostEffects = 1_000;
const largestBody = 10_000_000;
const destination = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const lane = /^[^\p{Cc}]{1,200}$/u;
const versioned = /^([A-Z][A-Za-z]{1,60}\/[A-Za-z0-9.-]{1,64})(?:\/_history\/(\d{1,15}))?$/;
const mediaType = /^[\w.+-]{1,60}\/[\w.+-]{1,60}(; ?[\w.+-]{1,40}=[\w.+-]{1,60}){0,4}$/;

/** Effects come from another process: their types say nothing. Throws Refusal `bad-request`. */
export function admitEffects(effects: unknown): readonly FlowEffect[] {
  if (!Array.isArray(effects)) throw badRequest('the effects of a flow are a list');
  if (effects.length > mostEffects) throw badRequest(`a flow has ${mostEffects} effects at most`);
  effects.forEach((effect: unknown, at) => admitEffect(effect, `effects[${at}]`));
  return effects as readonly FlowEffect[];
}

function admitEffect(effect: unknown, place: string): void {
  if (!isObject(effect)) throw badRequest('an effect is an object', place);
  if (effect['kind'] === 'write') {
    if (!isObject(effect['resource'])) throw badRequest('a write needs a resource', `${place}.resource`);
  } else if (effect['kind'] === 'send') {
    admitSend(effect, place);
  } else if (effect['kind'] === 'send-message') {
    admitWay(effect, place);
    admitText(effect['map'], destination, `${place}.map`);
    admitText(effect['reference'], versioned, `${place}.reference`);
    admitReceiver(effect['receiver'], `${place}.receiver`);
  } else {
    throw badRequest('an effect is a write, a send or a send-message', `${place}.kind`);
  }
}

function admitSend(effect: Readonly<Record<string, unknown>>, place: string): void {
  const { body } = effect;
  admitWay(effect, place);
  admitText(effect['contentType'], mediaType, `${place}.contentType`);
  if (typeof body !== 'string' || body.length > largestBody) {
    throw badRequest(`the body is text of ${largestBody} characters at most`, `${place}.body`);
  }
}

function admitWay(effect: Readonly<Record<string, unknown>>, place: string): void {
  admitText(effect['destination'], destination, `${place}.destination`);
  if (effect['lane'] !== undefined) admitText(effect['lane'], lane, `${place}.lane`);
}

const receiverName = /^[^\p{Cc}]{1,180}$/u;

function admitReceiver(receiver: unknown, place: string): void {
  if (receiver === undefined) return;
  if (!isObject(receiver)) throw badRequest('a receiver has an application, a facility, or both', place);
  for (const [name, value] of Object.entries(receiver)) {
    if (name !== 'application' && name !== 'facility') throw badRequest('a receiver has nothing else', place);
    admitText(value, receiverName, `${place}.${name}`);
  }
}

function admitText(value: unknown, syntax: RegExp, place: string): void {
  if (typeof value !== 'string' || !syntax.test(value)) throw badRequest('missing or malformed', place);
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export interface EffectContext {
  /** The id of the event. */
  readonly cause: string;
  readonly at: number;
  readonly ids: Ids;
  readonly compose: Compose;
  /** The traceparent of the event, or of the work on it. */
  readonly trace?: string | undefined;
}

/** In the order given, in the unit's transaction. */
export async function carryOut(
  effects: readonly FlowEffect[],
  unit: RepositoryUnit,
  context: EffectContext,
): Promise<void> {
  for (const effect of effects) {
    if (effect.kind === 'send') await unit.messages.enqueue(toSend(effect, context));
    else if (effect.kind === 'send-message') {
      await unit.messages.enqueue(toSend(await composed(effect, unit, context), context));
    } else if (effect.resource.id === undefined) await unit.create(effect.resource);
    else await unit.update(effect.resource);
  }
}

/** The version before the one that is named, where there was one, tells what happened. */
async function composed(
  { destination, lane, map, reference, receiver }: Extract<FlowEffect, { kind: 'send-message' }>,
  unit: RepositoryUnit,
  { compose }: EffectContext,
): Promise<Send> {
  const version = Number(versioned.exec(reference)?.[2] ?? '1');
  const previous = version > 1 ? { previous: String(version - 1) } : {};
  const to = receiver === undefined ? {} : { receiver };
  const { contentType, text } = await compose({ map, resource: reference, ...previous, ...to }, unit);
  const way = lane === undefined ? { destination } : { destination, lane };
  return { kind: 'send', ...way, contentType, body: text };
}

type Send = Extract<FlowEffect, { kind: 'send' }>;

function toSend(
  effect: Send,
  { cause, at, ids, trace }: EffectContext,
): Parameters<RepositoryUnit['messages']['enqueue']>[0] {
  const name = `send:${effect.destination}`;
  return {
    id: ids.next(),
    destination: name,
    lane: effect.lane === undefined ? name : `${name}/${effect.lane}`,
    createdAt: at,
    contentType: effect.contentType,
    payload: Buffer.from(effect.body, 'utf8'),
    cause,
    ...(trace === undefined ? {} : { trace }),
  };
}
