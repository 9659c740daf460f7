// `kiungo channels …`: which channels the running engine has, their versions, and what people tell them. docs/channels.md
import { stringify } from 'yaml';
import { badRequest } from '../../kernel/outcomes.ts';
import { differences, type Difference } from '../../messages/channels/diff.ts';
import { readDocuments, writeDocuments } from './channel-documents.ts';
import { columns, counted } from './columns.ts';
import type { Command } from './command.ts';
import type { EngineClient } from './engine-client.ts';
import { commandOf, queryOf, text, type Asked, type Subcommand } from './subcommands.ts';
import { testCases } from './test-cases.ts';

interface ShownChannel {
  readonly name: string;
  readonly definition: { readonly name: string; readonly source: { readonly kind: string } };
  readonly origin: { readonly kind: string; readonly version?: number; readonly file?: string };
  readonly position: string;
  readonly source: string;
  readonly port?: number;
  readonly problem?: string;
  readonly messages: Readonly<Record<string, number>>;
  readonly oldestWaitingAt?: string;
}

interface ShownVersion {
  readonly version: number;
  readonly at: string;
  readonly by: string;
  readonly comment: string;
  readonly definition: object | null;
}

interface List<T> {
  readonly items: readonly T[];
}

const place = (name: string): string => `channels/${encodeURIComponent(name)}`;

const originOf = ({ origin: { kind, version, file } }: ShownChannel): string =>
  kind === 'stored' ? `version ${version}` : kind === 'gone' ? `gone: ${file}` : (file ?? kind);

const sourceOf = ({ definition, port, source, problem }: ShownChannel): string =>
  [definition.source.kind, port, source, problem].filter((part) => part !== undefined).join(' ');

function sayChannels({ say }: Asked, channels: readonly ShownChannel[]): void {
  const rows = channels.map((channel) => [
    channel.name,
    channel.position,
    sourceOf(channel),
    originOf(channel),
    channel.oldestWaitingAt ?? '',
    counted(channel.messages),
  ]);
  for (const line of columns(['name', 'position', 'source', 'kept as', 'waits since', 'messages'], rows)) {
    say(line);
  }
}

const list: Subcommand = {
  usage: '',
  sentence: 'All channels: position, source, where each is kept, counts.',
  takes: [0, 0],
  ask: async (engine, asked) => {
    const { items } = await engine.ask<List<ShownChannel>>('GET', 'channels');
    if (asked.given['json'] === true) asked.sayJson(items);
    else sayChannels(asked, items);
    return 0;
  },
};

const show: Subcommand = {
  usage: '<name>',
  sentence: 'One channel, with its definition as YAML.',
  takes: [1, 1],
  ask: async (engine, asked) => {
    const channel = await engine.ask<ShownChannel>('GET', place(asked.words[0] ?? ''));
    if (asked.given['json'] === true) asked.sayJson(channel);
    else {
      sayChannels(asked, [channel]);
      asked.say('');
      for (const line of stringify(channel.definition).trimEnd().split('\n')) asked.say(line);
    }
    return 0;
  },
};

const history: Subcommand = {
  usage: '<name>',
  sentence: 'Its versions: who made each, when and why.',
  takes: [1, 1],
  ask: async (engine, { words, given, say, sayJson }) => {
    const { items } = await engine.ask<List<ShownVersion>>('GET', `${place(words[0] ?? '')}/history`);
    if (given['json'] === true) sayJson(items);
    else {
      const rows = items.map(({ version, at, by, comment, definition }) => [
        String(version),
        at,
        by,
        definition === null ? `removed ${comment}`.trimEnd() : comment,
      ]);
      for (const line of columns(['version', 'at', 'by', 'comment'], rows)) say(line);
    }
    return 0;
  },
};

const diff: Subcommand = {
  usage: '<name> [<from version> [<to version>]]',
  sentence:
    'What the newest version (or another) has changed; with --file, what a file would change. Ends with 1 when something differs.',
  takes: [1, 3],
  options: { file: { type: 'string' } },
  ask: async (engine, asked) => {
    const { given, say, sayJson } = asked;
    const file = text(given, 'file');
    const found = file === undefined ? await ofVersions(engine, asked) : await ofFile(engine, asked, file);
    if (given['json'] === true) sayJson(found);
    else for (const { place: where, from, to } of found) say(`${where}: ${brief(from)} → ${brief(to)}`);
    return found.length === 0 ? 0 : 1;
  },
};

const brief = (value: unknown): string => (value === undefined ? '(none)' : JSON.stringify(value));

/** Nothing stands as `null` in JSON, which no channel has. */
async function ofVersions(
  engine: EngineClient,
  { words: [name = '', from, to] }: Asked,
): Promise<readonly Difference[]> {
  const first = from ?? (await versionBefore(engine, name));
  const query = queryOf({ from: first, to });
  const { items } = await engine.ask<List<Difference>>('GET', `${place(name)}/diff${query}`);
  return items.map((one) => ({ ...one, from: one.from ?? undefined, to: one.to ?? undefined }));
}

async function versionBefore(engine: EngineClient, name: string): Promise<string> {
  const { items } = await engine.ask<List<ShownVersion>>('GET', `${place(name)}/history`);
  const [newest, before] = items;
  if (newest === undefined) {
    throw badRequest(`channel ${name} has no versions: it comes from a file or the settings`);
  }
  return String((before ?? newest).version);
}

async function ofFile(
  engine: EngineClient,
  { words: [name = ''] }: Asked,
  file: string,
): Promise<readonly Difference[]> {
  const named = (value: unknown): boolean => (value as { readonly name?: unknown } | null)?.name === name;
  const wanted = readDocuments([file]).find(named);
  if (wanted === undefined) throw badRequest(`${file} has no channel ${name}`);
  const { definition } = await engine.ask<ShownChannel>('GET', place(name));
  return differences(definition, wanted);
}

const comment = { comment: { type: 'string' } } as const;

const rollback: Subcommand = {
  usage: '<name> <version>',
  sentence: 'Makes an older version the newest.',
  takes: [2, 2],
  options: comment,
  ask: async (engine, asked) => {
    const [name = '', version] = asked.words;
    const query = queryOf({ version, comment: text(asked.given, 'comment') });
    const channel = await engine.ask<ShownChannel>('POST', `${place(name)}/rollback${query}`);
    return told(asked, [channel]);
  },
};

const exported: Subcommand = {
  usage: '[<names>]',
  sentence: 'Writes channels as one JSON document, or with --to as YAML files in a folder, one each.',
  takes: [0, Infinity],
  options: { to: { type: 'string' } },
  ask: async (engine, { words, given, say, sayJson }) => {
    const { channels } = await engine.ask<{ readonly channels: readonly { readonly name: string }[] }>(
      'GET',
      'channels/$export',
    );
    const missing = words.filter((word) => !channels.some(({ name }) => name === word));
    if (missing.length > 0) throw badRequest(`there is no channel ${missing.join(', ')}`);
    const chosen = words.length === 0 ? channels : channels.filter(({ name }) => words.includes(name));
    const folder = text(given, 'to');
    if (folder === undefined) sayJson({ channels: chosen });
    else for (const file of writeDocuments(folder, chosen)) say(file);
    return 0;
  },
};

const imported: Subcommand = {
  usage: '<files or folders>',
  sentence: 'Creates the channels that are not there and changes the others: all of them or none.',
  takes: [1, Infinity],
  options: comment,
  ask: async (engine, asked) => {
    const query = queryOf({ comment: text(asked.given, 'comment') });
    const body = { channels: readDocuments(asked.words) };
    const { items } = await engine.ask<List<ShownChannel>>('POST', `channels/$import${query}`, body);
    return told(asked, items);
  },
};

const remove: Subcommand = {
  usage: '<name>',
  sentence: 'Removes a channel; its versions and its messages stay.',
  takes: [1, 1],
  options: comment,
  ask: async (engine, { words: [name = ''], given, say }) => {
    await engine.ask('DELETE', `${place(name)}${queryOf({ comment: text(given, 'comment') })}`);
    say(`${name} is removed`);
    return 0;
  },
};

const switched = (command: string, sentence: string): Subcommand => ({
  usage: '<names>',
  sentence,
  takes: [1, Infinity],
  ask: async (engine, asked) => {
    const channels: ShownChannel[] = [];
    for (const name of asked.words) channels.push(await engine.ask('POST', `${place(name)}/${command}`));
    return told(asked, channels);
  },
});

function told(asked: Asked, channels: readonly ShownChannel[]): number {
  if (asked.given['json'] === true) asked.sayJson(channels);
  else sayChannels(asked, channels);
  return 0;
}

export const channelsCommand: Command = commandOf(
  'channels',
  'Channels of the running engine: look, change, compare, switch; and their cases, offline.',
  {
    list,
    show,
    history,
    diff,
    rollback,
    export: exported,
    import: imported,
    remove,
    start: switched('start', 'Takes in and works.'),
    pause: switched('pause', 'Takes in and acknowledges, and works on nothing.'),
    drain: switched('drain', 'Takes nothing in, finishes what is there, and is then stopped.'),
    stop: switched('stop', 'Takes nothing in and works on nothing.'),
    test: testCases,
  },
);
