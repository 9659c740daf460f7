// Which channels there are: those of the settings, those in files, those that people made. Each change of a person is a version; nothing is
// overwritten. A file wins over what is stored under its name, and a stored channel over one of the settings.
import type { Actor } from '../../kernel/actor.ts';
import type { Clock } from '../../kernel/clock.ts';
import { badRequest, conflict, notFound } from '../../kernel/outcomes.ts';
import type { ConfigurationVersion, ConfigurationWriter } from '../../storage/configuration-store.ts';
import type { MessageReader } from '../../storage/message-store.ts';
import type { Store } from '../../storage/store.ts';
import type { ChannelFile } from './channel-files.ts';
import type { ChannelDefinition } from './channel.ts';
import { differences, type Difference } from './diff.ts';
import { readChannel } from './read-channel.ts';
import { forgetFile, rememberFiles } from './remembered-files.ts';

export type Origin =
  | { readonly kind: 'settings' }
  | { readonly kind: 'file'; readonly file: string }
  /** Its file was there at an earlier start: what waits of it waits on. */
  | { readonly kind: 'gone'; readonly file: string }
  | { readonly kind: 'stored'; readonly version: number; readonly at: number; readonly by: string };

export interface Channel {
  readonly definition: ChannelDefinition;
  readonly origin: Origin;
}

export interface ChannelVersion extends Omit<ConfigurationVersion, 'body' | 'kind'> {
  /** undefined: removed in this version. */
  readonly definition: ChannelDefinition | undefined;
}

/** Refusals: `not-found`; `bad-request` for what is no channel; `conflict` over another version, or where a file or the settings keep it. */
export interface ChannelBook {
  /** Reads what is stored, and writes down what the files hold. Before anything else. */
  load(): Promise<void>;
  all(): readonly Channel[];
  /** Those whose files are gone, in place of which there is nothing else. They are not among `all`. */
  gone(): readonly Channel[];
  /** One that is gone, too. Throws Refusal `not-found`. */
  channel(name: string): Channel;
  create(definition: unknown, how: Change): Promise<Channel>;
  /** `expected`: the version that is meant to be changed. */
  change(name: string, definition: unknown, how: Change): Promise<Channel>;
  /** `conflict` too while messages of it wait. One that is gone is forgotten. */
  remove(name: string, how: Change): Promise<void>;
  history(name: string): Promise<readonly ChannelVersion[]>;
  /** undefined for `to`: the newest. */
  compare(name: string, from: number, to?: number): Promise<readonly Difference[]>;
  /** Makes an older version the newest. */
  rollBack(name: string, version: number, how: Change): Promise<Channel>;
  /** All of them or none: those that are there are changed, the others created. */
  takeIn(definitions: readonly unknown[], how: Change): Promise<readonly Channel[]>;
  /** Called after each change with the names that changed. */
  onChange(listener: (names: readonly string[]) => Promise<void>): void;
}

export interface Change {
  readonly actor: Actor;
  readonly comment?: string;
  readonly expected?: number;
}

export interface ChannelBookOptions {
  readonly store: Pick<Store, 'transact' | 'configuration'>;
  readonly clock: Clock;
  readonly ofSettings: readonly ChannelDefinition[];
  readonly ofFiles: readonly ChannelFile[];
}

const kind = 'channel';

export function createChannelBook({ store, clock, ofSettings, ofFiles }: ChannelBookOptions): ChannelBook {
  const settled = new Map<string, Channel>();
  for (const definition of ofSettings) {
    settled.set(definition.name, { definition, origin: { kind: 'settings' } });
  }
  const files = new Map(
    ofFiles.map(({ file, definition }): [string, Channel] => [
      definition.name,
      { definition, origin: { kind: 'file', file } },
    ]),
  );
  let stored = new Map<string, Channel>();
  /** Whatever was in a file once. */
  const remembered = new Map<string, Channel>();
  const listeners: ((names: readonly string[]) => Promise<void>)[] = [];

  const read = async (): Promise<void> => {
    const current = await store.configuration.current(kind);
    stored = new Map(current.map((version) => [version.name, channelOf(version)]));
  };
  const load = async (): Promise<void> => {
    await read();
    for (const { file, definition } of await rememberFiles(ofFiles, { store, clock })) {
      remembered.set(definition.name, { definition, origin: { kind: 'gone', file } });
    }
  };
  const find = (name: string): Channel | undefined =>
    files.get(name) ?? stored.get(name) ?? settled.get(name);
  const channel = (name: string): Channel => {
    const found = find(name) ?? remembered.get(name);
    if (found === undefined) throw notFound('channel', name);
    return found;
  };
  const changed = async (names: readonly string[]): Promise<void> => {
    await read();
    for (const listener of listeners) await listener(names);
  };
  const refuseFiles = (name: string): void => {
    const origin = files.get(name)?.origin;
    if (origin?.kind === 'file') {
      throw conflict(`channel ${name} is kept in the file ${origin.file}: change it there`);
    }
  };
  const put = (
    configuration: ConfigurationWriter,
    name: string,
    definition: ChannelDefinition | undefined,
    { actor, comment = '', expected }: Change,
  ): Promise<number> => {
    refuseFiles(name);
    const body = definition === undefined ? undefined : JSON.stringify(definition);
    return configuration.put({ kind, name, at: clock.now(), by: actor.id, comment, body }, expected);
  };
  const write = async (definition: ChannelDefinition, how: Change): Promise<Channel> => {
    refusePortsTaken([definition], [...files.values(), ...stored.values(), ...settled.values()]);
    await store.transact(({ configuration }) => put(configuration, definition.name, definition, how));
    await changed([definition.name]);
    return channel(definition.name);
  };
  const history = async (name: string): Promise<readonly ChannelVersion[]> => {
    const versions = await store.configuration.history(kind, name);
    if (versions.length === 0) channel(name);
    return versions.map(versionOf);
  };
  const versionNamed = async (name: string, version?: number): Promise<ChannelVersion> => {
    const versions = await history(name);
    const found = version === undefined ? versions[0] : versions.find((one) => one.version === version);
    if (found === undefined) throw notFound('channel', `${name}, version ${version ?? 1}`);
    return found;
  };

  return {
    load,
    all: () => {
      const names = new Set([...settled.keys(), ...stored.keys(), ...files.keys()]);
      return [...names].sort().map(channel);
    },
    gone: () => [...remembered.values()].filter(({ definition }) => find(definition.name) === undefined),
    channel,
    create: async (value, how) => {
      const definition = readChannel(value, 'body');
      if (find(definition.name) !== undefined) {
        throw conflict(`there is a channel ${definition.name} already`);
      }
      return write(definition, how);
    },
    change: async (name, value, how) => {
      channel(name);
      const definition = readChannel(value, 'body');
      if (definition.name !== name) throw badRequest(`name: the channel is ${name}, and cannot be renamed`);
      return write(definition, how);
    },
    remove: async (name, how) => {
      const { origin } = channel(name);
      if (origin.kind === 'settings') {
        throw conflict(`channel ${name} comes from the settings: stop it, or change it, instead`);
      }
      await store.transact(async ({ configuration, messages }) => {
        await refuseWhileSomeWait(name, origin, messages);
        if (origin.kind !== 'gone') await put(configuration, name, undefined, how);
        else await forgetFile(configuration, name, { comment: '', ...how, at: clock.now() });
      });
      if (origin.kind === 'gone') remembered.delete(name);
      await changed([name]);
    },
    history,
    compare: async (name, from, to) => {
      const [older, newer] = [await versionNamed(name, from), await versionNamed(name, to)];
      return differences(older.definition ?? {}, newer.definition ?? {});
    },
    rollBack: async (name, version, how) => {
      const { definition } = await versionNamed(name, version);
      if (definition === undefined) throw conflict(`channel ${name} is removed in version ${version}`);
      return write(readChannel(definition, `version ${version}`), {
        ...how,
        comment: how.comment ?? `back to version ${version}`,
      });
    },
    takeIn: async (values, how) => {
      const definitions = values.map((value, index) => readChannel(value, `channels[${index}]`));
      refusePortsTaken(definitions, [...files.values(), ...stored.values(), ...settled.values()]);
      await store.transact(async ({ configuration }) => {
        for (const definition of definitions) await put(configuration, definition.name, definition, how);
      });
      const names = definitions.map(({ name }) => name);
      await changed(names);
      return names.map(channel);
    },
    onChange: (listener) => void listeners.push(listener),
  };
}

/** Without the channel nobody would know what is to become of them, and whom they are to go to. */
async function refuseWhileSomeWait(
  channel: string,
  origin: Origin,
  messages: Pick<MessageReader, 'messages'>,
): Promise<void> {
  const { total } = await messages.messages({ channel, state: 'received', limit: 1, offset: 0 });
  if (total === 0) return;
  const remedy = origin.kind === 'gone' ? whatToDo(origin.file) : 'drain it first, or start it';
  throw conflict(`messages of channel ${channel} wait: ${remedy}`);
}

/** About what waits of a channel that is gone. */
export const whatToDo = (file: string): string =>
  `its file ${file} is gone; put it back and start anew, make the channel anew, or park or discard what waits`;

function channelOf({ body, version, at, by, name }: ConfigurationVersion): Channel {
  const definition = readChannel(JSON.parse(body ?? '{}'), `channel ${name}, version ${version}`);
  return { definition, origin: { kind: 'stored', version, at, by } };
}

function versionOf({ name, version, at, by, comment, body }: ConfigurationVersion): ChannelVersion {
  const definition = body === undefined ? undefined : (JSON.parse(body) as ChannelDefinition);
  return { name, version, at, by, comment, definition };
}

/** One port, one channel; 0 takes any that is free. */
function refusePortsTaken(incoming: readonly ChannelDefinition[], there: readonly Channel[]): void {
  const names = new Set(incoming.map(({ name }) => name));
  const others = there.map(({ definition }) => definition).filter(({ name }) => !names.has(name));
  const owners = new Map<number, string>();
  for (const { name, source } of [...others, ...incoming]) {
    if (source.kind !== 'mllp' || source.port === 0) continue;
    const owner = owners.get(source.port);
    if (owner !== undefined) throw conflict(`port ${source.port} is channel ${owner}'s already`);
    owners.set(source.port, name);
  }
}
