// `kiungo messages show-archive …`: what retention has put into archives, without an engine. docs/channels.md
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { formatInstant } from '../../fhir/instants.ts';
import { badRequest } from '../../kernel/outcomes.ts';
import type { ArchivedLine } from '../../messages/archive.ts';
import { readArchive } from '../../messages/read-archive.ts';
import { text, type Asked, type Given, type Subcommand } from './subcommands.ts';

const ending = '.ndjson.gz';

export const showArchive: Subcommand = {
  usage: '<files or folders>',
  sentence:
    'What retention has put into archives: messages and deliveries, a line each; with --raw the bytes of those that fit, as text. Ends with 1 when nothing fits.',
  takes: [1, Infinity],
  options: {
    id: { type: 'string' },
    channel: { type: 'string' },
    'control-id': { type: 'string' },
    raw: { type: 'boolean' },
  },
  run: async (asked) => {
    let shown = 0;
    for (const file of asked.words.flatMap(filesIn)) {
      for await (const line of readArchive(file)) {
        if (!fits(line, asked.given)) continue;
        shown += 1;
        say(line, asked);
      }
    }
    return shown > 0 ? 0 : 1;
  },
};

/** In order of their days. */
function filesIn(place: string): readonly string[] {
  const found = statSync(place, { throwIfNoEntry: false });
  if (found === undefined) throw badRequest(`there is no ${place}`);
  if (!found.isDirectory()) return [place];
  const names = readdirSync(place).filter((name) => !name.startsWith('.'));
  const wanted = names.filter((name) => name.endsWith(ending) || statSync(join(place, name)).isDirectory());
  return wanted.sort().flatMap((name) => filesIn(join(place, name)));
}

/** `--id`: of the message, and so of what was sent because of it. */
function fits(line: ArchivedLine, given: Given): boolean {
  const [id, channel, controlId] = ['id', 'channel', 'control-id'].map((name) => text(given, name));
  const isMessage = line.kind === 'message';
  return (
    (id === undefined || line.id === id || (!isMessage && line.cause === id)) &&
    (channel === undefined || (isMessage && line.channel === channel)) &&
    (controlId === undefined || (isMessage && line.controlId === controlId))
  );
}

function say(line: ArchivedLine, { given, say: tell }: Asked): void {
  if (given['json'] === true) tell(JSON.stringify(line));
  else if (given['raw'] === true) for (const part of textOf(line).split('\n')) tell(part);
  else tell(summaryOf(line));
}

function textOf(line: ArchivedLine): string {
  const bytes = line.kind === 'message' ? (line.raw ?? '') : line.payload;
  return Buffer.from(bytes, 'base64').toString('utf8').replace(/\r\n?/g, '\n').trimEnd();
}

const summaryOf = (line: ArchivedLine): string =>
  line.kind === 'message'
    ? `${formatInstant(line.receivedAt)}  message   ${line.id}  ${line.channel}  ${line.messageType}  ${line.controlId}  ${line.state}`
    : `${formatInstant(line.createdAt)}  delivery  ${line.id}  ${line.destination}  of ${line.cause}  ${line.state}`;
