// Answers what the flows process asks, from the engine's port. The process is not trusted: what it hands over is read, not believed.
import {
  Refusal,
  type Clock,
  type FhirResource,
  type FlowEffect,
  type FlowPort,
  type FlowSubscription,
  type Logger,
} from '../../engine/index.ts';
import { ChannelFailure } from '../channel.ts';
import type { LeasedEventOnTheWire } from '../inside/leased-event.ts';

export interface PortRequests {
  /** Throws only ChannelFailure. */
  answer(method: string, params: unknown): Promise<unknown>;
  /** Fails back what is still leased; for when the process is gone. Never throws. */
  abandon(text: string): Promise<void>;
}

const maxLease = 64;
const maxSubscriptions = 500;
const maxEffects = 1000;
const maxText = 500;

export function createPortRequests(port: FlowPort, clock: Clock, logger: Logger): PortRequests {
  /** Event id → lease, of what the process holds. */
  const leases = new Map<string, string>();
  /** Set when the process is gone: what is leased after that goes straight back. */
  let abandoned: string | undefined;

  const failBack = async (eventId: string, lease: string, text: string): Promise<void> => {
    leases.delete(eventId);
    try {
      await port.fail(eventId, lease, text);
    } catch (error) {
      // Its lease has run out, or will: the event is tried again all the same.
      logger.warn({ eventId, code: codeOf(error) }, 'an event could not be failed back');
    }
  };

  const giveBack = async (text: string): Promise<void> => {
    await Promise.all([...leases].map(([eventId, lease]) => failBack(eventId, lease, text)));
  };

  const methods: Readonly<Record<string, (params: Params) => Promise<unknown>>> = {
    subscribe: (params) => port.subscribe(params.list('subscriptions', maxSubscriptions).map(subscriptionOf)),
    async lease(params) {
      const events = await port.lease(Math.min(params.count('limit'), maxLease));
      for (const event of events) leases.set(event.id, event.lease);
      if (abandoned !== undefined) await giveBack(abandoned);
      return events.map((event): LeasedEventOnTheWire => ({
        ...event,
        remainingMs: event.leasedUntil - clock.now(),
      }));
    },
    async complete(params) {
      const [eventId, lease] = [params.text('eventId'), params.text('lease')];
      const effects = params.list('effects', maxEffects).map(effectOf);
      leases.delete(eventId);
      try {
        await port.complete(eventId, lease, effects);
      } catch (error) {
        // After a conflict another try has the event: nothing to be failed here.
        if (codeOf(error) !== 'conflict') await failBack(eventId, lease, refusedText(error));
        throw error;
      }
    },
    fail: (params) =>
      failBack(params.text('eventId'), params.text('lease'), params.text('text').slice(0, maxText)),
    read: (params) => port.read(params.text('reference')),
    search: (params) => port.search(params.text('query')),
  };

  return {
    async answer(method, params) {
      const answer = Object.hasOwn(methods, method) ? methods[method] : undefined;
      if (answer === undefined) throw new ChannelFailure('not-found', `there is no ${method.slice(0, 40)}`);
      try {
        return await answer(paramsOf(params));
      } catch (error) {
        throw asChannelFailure(method, error, logger);
      }
    },
    async abandon(text) {
      abandoned = text;
      await giveBack(text);
    },
  };
}

const codeOf = (error: unknown): string =>
  error instanceof Refusal || error instanceof ChannelFailure ? error.code : 'defect';

const refusedText = (error: unknown): string =>
  error instanceof Refusal || error instanceof ChannelFailure
    ? `what the flow wanted done was refused: ${error.message}`
    : 'what the flow wanted done could not be done for a reason that is in the log';

function asChannelFailure(method: string, error: unknown, logger: Logger): ChannelFailure {
  if (error instanceof ChannelFailure) return error;
  if (error instanceof Refusal) {
    if (method === 'subscribe') logger.warn({ code: error.code }, 'what the flows listen for was refused');
    return new ChannelFailure(error.code, error.message);
  }
  logger.error({ method }, 'a request of the flows process failed', error);
  return new ChannelFailure('defect', 'the request failed for a reason that is in the log');
}

/** Reads the parameters of a request; what is not as it should be is refused (`bad-request`). */
interface Params {
  text(name: string): string;
  count(name: string): number;
  list(name: string, most: number): readonly Params[];
  readonly given: Readonly<Record<string, unknown>>;
}

const bad = (text: string): ChannelFailure => new ChannelFailure('bad-request', text);

function paramsOf(value: unknown): Params {
  if (typeof value !== 'object' || value === null) throw bad('parameters are missing');
  const given = value as Readonly<Record<string, unknown>>;
  return {
    given,
    text(name) {
      const text = given[name];
      if (typeof text !== 'string') throw bad(`${name} is no text`);
      return text;
    },
    count(name) {
      const count = given[name];
      if (typeof count !== 'number' || !Number.isInteger(count) || count < 1) {
        throw bad(`${name} is no count`);
      }
      return count;
    },
    list(name, most) {
      const list = given[name];
      if (!Array.isArray(list) || list.length > most) throw bad(`${name} is no list of at most ${most}`);
      return list.map(paramsOf);
    },
  };
}

function subscriptionOf(params: Params): FlowSubscription {
  const name = params.text('name');
  if (params.text('kind') === 'message') {
    return {
      kind: 'message',
      name,
      channel: params.text('channel'),
      messageType: params.text('messageType'),
    };
  }
  return { kind: 'resource', name, criteria: params.text('criteria') };
}

type Receiver = NonNullable<Extract<FlowEffect, { kind: 'send-message' }>['receiver']>;

function receiverOf({ given }: Params): { readonly receiver?: Receiver } {
  if (given.receiver === undefined) return {};
  const named = paramsOf(given.receiver);
  const { application, facility } = named.given;
  return {
    receiver: {
      ...(application === undefined ? {} : { application: named.text('application') }),
      ...(facility === undefined ? {} : { facility: named.text('facility') }),
    },
  };
}

function effectOf(params: Params): FlowEffect {
  if (params.text('kind') === 'write') {
    const { given } = paramsOf(params.given.resource);
    if (typeof given.resourceType !== 'string') throw bad('what is to be written has no resourceType');
    return { kind: 'write', resource: given as FhirResource };
  }
  const lane = params.given.lane === undefined ? {} : { lane: params.text('lane') };
  if (params.text('kind') === 'send-message') {
    return {
      kind: 'send-message',
      destination: params.text('destination'),
      ...lane,
      map: params.text('map'),
      reference: params.text('reference'),
      ...receiverOf(params),
    };
  }
  return {
    kind: 'send',
    destination: params.text('destination'),
    ...lane,
    contentType: params.text('contentType'),
    body: params.text('body'),
  };
}
