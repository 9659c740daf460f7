// The destinations of channels: set up at the outbox as their channel says, held and let go by people, and held by answers that ask for it.
import { engineActor, type Actor } from '../../kernel/actor.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { DestinationRules } from '../destinations.ts';
import type { Outbox } from '../outbox.ts';
import type { Sender } from '../ports.ts';
import { retryPolicies } from '../retry.ts';
import type { ChannelDefinition, DestinationDefinition } from './channel.ts';
import { destinationName, policyOf } from './compile-channel.ts';
import type { Switches } from './switches.ts';

export type DestinationPosition = 'open' | 'held';

export interface ChannelDestinationsOptions {
  readonly destinationSwitches: Switches<DestinationPosition>;
  readonly outbox: Pick<Outbox, 'register' | 'unregister' | 'hold' | 'letGo' | 'onHold'>;
  readonly makeSender: (channel: ChannelDefinition, destination: DestinationDefinition) => Sender;
  readonly logger: Logger;
}

export interface ChannelDestinations {
  /** Holds those that are to be held. Before any is set up. */
  load(): Promise<void>;
  /** One whose sender cannot be made is there too: what waits for it goes on waiting. */
  setUp(channel: ChannelDefinition): void;
  /** Those that the channel has no more; all where it is gone. */
  takeDown(before: ChannelDefinition, after: ChannelDefinition | undefined): void;
  /** Of a channel that is gone: what waits for them waits on, and is not given up as unknown. */
  withhold(channel: ChannelDefinition): void;
  /** Ends that. */
  restore(channel: ChannelDefinition): void;
  put(name: string, position: DestinationPosition, actor: Actor): Promise<void>;
}

export function createChannelDestinations(options: ChannelDestinationsOptions): ChannelDestinations {
  const { destinationSwitches: switches, outbox, logger } = options;
  const senderOf = (channel: ChannelDefinition, destination: DestinationDefinition): Sender => {
    try {
      return options.makeSender(channel, destination);
    } catch (error) {
      const name = destinationName(channel.name, destination.name);
      logger.error({ destination: name }, 'a destination could not be set up', error);
      return notSetUp;
    }
  };
  outbox.onHold((name, { id }) => {
    switches
      .put(name, 'held', engineActor, `the answer to delivery ${id} asks for it`)
      .catch((cause: unknown) => logger.error({ destination: name }, 'a hold could not be kept', cause));
  });
  return {
    load: async () => {
      await switches.load();
      for (const [name, position] of switches.positions()) {
        if (position === 'held') outbox.hold(name);
      }
    },
    setUp: (channel) => {
      for (const destination of channel.destinations ?? []) {
        const name = destinationName(channel.name, destination.name);
        outbox.register(name, senderOf(channel, destination), rulesOf(destination));
      }
    },
    takeDown: (before, after) => {
      const stay = new Set(after?.destinations?.map(({ name }) => name));
      for (const { name } of before.destinations ?? []) {
        if (!stay.has(name)) outbox.unregister(destinationName(before.name, name));
      }
    },
    withhold: (channel) => destinationNames(channel).forEach((name) => outbox.hold(name)),
    restore: (channel) => {
      const open = destinationNames(channel).filter((name) => switches.position(name) === 'open');
      for (const name of open) outbox.letGo(name);
    },
    put: async (name, position, actor) => {
      await switches.put(name, position, actor);
      if (position === 'held') outbox.hold(name);
      else outbox.letGo(name);
    },
  };
}

/** As the outbox knows them. */
export const destinationNames = ({ name, destinations = [] }: ChannelDefinition): readonly string[] =>
  destinations.map((destination) => destinationName(name, destination.name));

/** Of a destination whose certificate or key cannot be read: what waits goes on waiting. */
const notSetUp: Sender = {
  send: async () => ({
    state: 'failed',
    retry: 'transient',
    reason: {
      code: 'destination-not-set-up',
      text: 'the destination could not be set up: the log says why; mend it, then change or restart its channel',
    },
  }),
  close: async () => undefined,
};

function rulesOf({ answers, retry, circuit, perSecond, response }: DestinationDefinition): DestinationRules {
  return {
    policy: policyOf(retry ?? {}, retryPolicies.sending),
    ...(answers === undefined ? {} : { answers }),
    circuit: { failures: circuit?.failures ?? 5, pauseMs: (circuit?.pauseSeconds ?? 30) * 1000 },
    ...(perSecond === undefined ? {} : { perSecond }),
    ...(response === undefined ? {} : { responseTo: response }),
  };
}
