// Runs the channels: opens and closes their sources, sets up their destinations, and lets people start, pause, drain and stop each of them
// without touching the others.
import { engineActor, type Actor } from '../../kernel/actor.ts';
import { unavailable } from '../../kernel/outcomes.ts';
import { createRounds } from '../../kernel/rounds.ts';
import type { MessageReader } from '../../storage/message-store.ts';
import { concern, type Concern } from '../alert.ts';
import type { DestinationState } from '../destinations.ts';
import type { Outbox } from '../outbox.ts';
import { usualSettings, type ChannelSettings, type SettingsOf } from '../stages.ts';
import { whatToDo, type Channel, type ChannelBook } from './channel-book.ts';
import {
  createChannelDestinations,
  type ChannelDestinationsOptions,
  type DestinationPosition,
} from './channel-destinations.ts';
import type { ChannelDefinition } from './channel.ts';
import { compileChannel } from './compile-channel.ts';
import type { Switches } from './switches.ts';

/** Whether messages come in, and whether they are worked on. */
export const channelPositions = {
  running: { takesIn: true, works: true },
  paused: { takesIn: true, works: false },
  /** Takes nothing in; stopped when nothing waits any more. */
  draining: { takesIn: false, works: true },
  stopped: { takesIn: false, works: false },
} as const;

export type ChannelPosition = keyof typeof channelPositions;

/** Where messages of a channel come from, brought by an adapter. */
export interface ChannelSource {
  /** Rejects when it cannot be opened: a port in use, a folder that is not there. */
  start(): Promise<{ readonly port?: number }>;
  /** Answers what came in, then closes. */
  stop(): Promise<void>;
  connections?(): number;
  /** Why nothing can come in at the moment, where the source has to go and look: it tries again by itself. */
  problem?(): string | undefined;
}

export interface ChannelStatus {
  readonly position: ChannelPosition;
  readonly source: 'open' | 'closed' | 'failed';
  /** Why it failed. */
  readonly problem?: string;
  readonly port?: number;
  readonly connections?: number;
}

export interface ChannelRunnerOptions extends ChannelDestinationsOptions {
  readonly book: ChannelBook;
  readonly channelSwitches: Switches<ChannelPosition>;
  readonly outbox: ChannelDestinationsOptions['outbox'] & Pick<Outbox, 'state'>;
  readonly messages: Pick<MessageReader, 'messages'>;
  readonly makeSource: (channel: ChannelDefinition) => ChannelSource;
  /** What a channel without a charset of its own assumes. */
  readonly charset: string | undefined;
  /** A message may be waiting: the processor's. */
  readonly wake: () => void;
  /** How often a draining channel is looked at; half a second unless told. */
  readonly drainPollMs?: number;
}

export interface ChannelRunner {
  /** Loads channels and switches and sets up destinations. Nothing comes in yet. */
  load(): Promise<void>;
  /** Opens the sources. One that cannot be opened does not hold up the others; it is tried again when its channel is started. */
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly settingsOf: SettingsOf;
  /** Channels whose messages wait: those that people have paused or stopped, and those that are gone. */
  held(): readonly string[];
  /** Throws Refusal `unavailable` where the channel takes nothing in. */
  admit(channel: string): void;
  put(name: string, position: ChannelPosition, actor: Actor): Promise<ChannelStatus>;
  status(name: string): ChannelStatus;
  putDestination(name: string, position: DestinationPosition, actor: Actor): Promise<void>;
  destinations(): Readonly<Record<string, DestinationState>>;
  /** Channels that can take nothing in although they should. */
  concerns(): readonly Concern[];
}

interface Running {
  readonly definition: ChannelDefinition;
  readonly settings: ChannelSettings;
  source?: ChannelSource;
  port?: number;
  problem?: string;
}

export function createChannelRunner(options: ChannelRunnerOptions): ChannelRunner {
  const { book, channelSwitches, outbox, logger } = options;
  const destinations = createChannelDestinations(options);
  const channels = new Map<string, Running>();
  const gone = new Map<string, Running>();
  let isStarted = false;
  /** One change after the other: a source must be closed before its port is opened anew. */
  let lastChange: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = lastChange.then(work, work);
    lastChange = done.catch(() => undefined);
    return done;
  };

  const open = async (running: Running, isStart = false): Promise<void> => {
    const { name } = running.definition;
    if (running.source !== undefined || !channelPositions[channelSwitches.position(name)].takesIn) return;
    try {
      const source = options.makeSource(running.definition);
      const { port } = await source.start();
      Object.assign(running, { source, port, problem: undefined });
    } catch (error) {
      // Without the channel of the settings the engine is not what its owner asked for.
      if (isStart && book.channel(name).origin.kind === 'settings') throw error;
      running.problem = (error as Error).message;
      logger.error({ channel: name }, 'the source of a channel could not be opened', error);
    }
  };
  const shut = async (running: Running): Promise<void> => {
    const { source } = running;
    delete running.source;
    delete running.port;
    await source?.stop();
  };
  const compiled = (definition: ChannelDefinition): Running => {
    const settings = compileChannel(definition);
    return { definition, settings: { ...settings, charset: settings.charset ?? options.charset } };
  };
  const setUp = (definition: ChannelDefinition): Running => {
    destinations.setUp(definition);
    return compiled(definition);
  };
  const layAside = ({ definition, origin }: Channel): void => {
    const problem = origin.kind === 'gone' ? whatToDo(origin.file) : '';
    gone.set(definition.name, { ...compiled(definition), problem });
    destinations.withhold(definition);
  };
  /** It is there again, or somebody has removed it. */
  const takeUp = (name: string): void => {
    const before = gone.get(name);
    if (before !== undefined) destinations.restore(before.definition);
    gone.delete(name);
  };
  const apply = async (name: string): Promise<void> => {
    const before = channels.get(name);
    const after = book.all().find(({ definition }) => definition.name === name)?.definition;
    const keepsSource = before !== undefined && sameSource(before.definition, after);
    if (before !== undefined) destinations.takeDown(before.definition, after);
    if (before !== undefined && !keepsSource) await shut(before);
    takeUp(name);
    if (after === undefined) {
      channels.delete(name);
      // What it still has goes on: nobody could let it go on later.
      if (channelSwitches.position(name) !== 'running') {
        await channelSwitches.put(name, 'running', engineActor);
      }
      return;
    }
    const running = setUp(after);
    if (keepsSource) {
      Object.assign(running, { source: before.source, port: before.port, problem: before.problem });
    }
    channels.set(name, running);
    if (isStarted) await open(running);
    options.wake();
  };
  const status = (name: string): ChannelStatus => {
    const { source, port, problem: failure } = channels.get(name) ?? gone.get(name) ?? {};
    const connections = source?.connections?.();
    const problem = source === undefined ? failure : source.problem?.();
    return {
      position: channelSwitches.position(name),
      source: problem !== undefined ? 'failed' : source === undefined ? 'closed' : 'open',
      ...(problem === undefined ? {} : { problem }),
      ...(port === undefined ? {} : { port }),
      ...(connections === undefined ? {} : { connections }),
    };
  };
  const put = async (name: string, position: ChannelPosition, actor: Actor): Promise<ChannelStatus> => {
    book.channel(name);
    await channelSwitches.put(name, position, actor);
    const running = channels.get(name);
    if (running !== undefined && isStarted) {
      if (channelPositions[position].takesIn) await open(running);
      else await shut(running);
    }
    logger.info({ channel: name, position }, 'channel switched');
    options.wake();
    return status(name);
  };
  const lookAtDrains = async (): Promise<void> => {
    for (const name of channels.keys()) {
      if (channelSwitches.position(name) !== 'draining') continue;
      const waiting = await options.messages.messages({
        channel: name,
        state: 'received',
        limit: 1,
        offset: 0,
      });
      if (waiting.items.length === 0) await inTurn(() => put(name, 'stopped', engineActor));
    }
  };
  const drainPollMs = options.drainPollMs ?? 500;
  const drainLooks = createRounds({
    round: lookAtDrains,
    failed: (cause) => logger.error({}, 'draining channels could not be looked at', cause),
    pauseMs: () => drainPollMs,
  });

  book.onChange(async (names) => {
    for (const name of names) await inTurn(() => apply(name));
  });

  return {
    load: async () => {
      await channelSwitches.load();
      await destinations.load();
      await book.load();
      for (const { definition } of book.all()) channels.set(definition.name, setUp(definition));
      book.gone().forEach(layAside);
    },
    start: async () => {
      isStarted = true;
      for (const running of channels.values()) await inTurn(() => open(running, true));
      drainLooks.start(drainPollMs);
    },
    stop: async () => {
      isStarted = false;
      await drainLooks.stop();
      await inTurn(async () => {
        await Promise.all([...channels.values()].map(shut));
      });
    },
    settingsOf: (name) =>
      (channels.get(name) ?? gone.get(name))?.settings ?? {
        ...usualSettings(name),
        charset: options.charset,
      },
    held: () => {
      const switched = [...channelSwitches.positions()];
      const stopped = switched
        .filter(([, position]) => !channelPositions[position].works)
        .map(([name]) => name);
      return [...stopped, ...gone.keys()];
    },
    admit: (name) => {
      if (gone.has(name)) {
        throw unavailable(`channel ${name} takes nothing in: ${gone.get(name)?.problem ?? ''}`);
      }
      const position = channelSwitches.position(name);
      if (!channelPositions[position].takesIn) {
        throw unavailable(`channel ${name} is ${position}: it takes nothing in`);
      }
    },
    put: (name, position, actor) => inTurn(() => put(name, position, actor)),
    status,
    putDestination: (name, position, actor) => destinations.put(name, position, actor),
    destinations: () => outbox.state(),
    concerns: () =>
      [...channels.keys()].flatMap((subject) => {
        const { problem, position } = status(subject);
        return problem === undefined || !channelPositions[position].takesIn
          ? []
          : [concern('connection-lost', subject, problem)];
      }),
  };
}

const sameSource = (one: ChannelDefinition, other: ChannelDefinition | undefined): boolean =>
  JSON.stringify(one.source) === JSON.stringify(other?.source);
