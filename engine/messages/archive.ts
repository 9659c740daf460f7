// What retention takes out of the store, kept in files first: gzip NDJSON, one folder an archive, by the day on which what is in it came. Each
// piece is durable before its rows go; what a power cut leaves of a piece is at the end of its file, and was not removed.
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Ids } from '../kernel/ids.ts';
import type { Delivery, MessageReader, MessageRecord } from '../storage/message-store.ts';

/** One line of an archive. Bytes are Base64; those that the channel did not keep are not there. */
export type ArchivedLine =
  | (Omit<MessageRecord, 'answer'> & {
      readonly kind: 'message';
      readonly answer?: string;
      readonly raw?: string;
      readonly mapped?: string;
    })
  | (Omit<Delivery, 'payload' | 'response'> & {
      readonly kind: 'delivery';
      readonly payload: string;
      readonly response?: { readonly contentType: string; readonly bytes: string };
    });

export interface ArchiveWriter {
  /** Durable when it resolves. When it rejects, this writer is not to be used again. */
  keep(lines: readonly ArchivedLine[]): Promise<void>;
}

export interface Archive {
  /** Into files of its own below this archive's folder, which is made when absent. */
  writer(name: string): ArchiveWriter;
}

export function createArchive(folder: string, ids: Pick<Ids, 'next'>): Archive {
  return {
    writer: (name) => {
      const place = join(folder, name);
      const own = ids.next();
      return {
        keep: async (lines) => {
          await mkdir(place, { recursive: true, mode: 0o700 });
          for (const [day, ofDay] of Map.groupBy(lines, dayOf)) {
            await append(join(place, `${day}_${own}.ndjson.gz`), ofDay);
          }
          await forced(place);
        },
      };
    },
  };
}

/** By which day an archive's files are named, in UTC. */
const dayOf = (line: ArchivedLine): string =>
  new Date(line.kind === 'message' ? line.receivedAt : line.createdAt).toISOString().slice(0, 10);

const packed = promisify(gzip);
/** Of a member, as long as its lines are shorter. */
const memberCharacters = 1024 * 1024;

/** Members of their own, so that those before them can be read whatever becomes of these. RFC 1952, 2.2 */
async function append(file: string, lines: readonly ArchivedLine[]): Promise<void> {
  const handle = await open(file, 'a', 0o600);
  await andClose(handle, async () => {
    for (const member of membersOf(lines)) await handle.appendFile(await packed(member));
    await handle.sync();
  });
}

function* membersOf(lines: readonly ArchivedLine[]): Generator<string> {
  let member = '';
  for (const line of lines) {
    member += `${JSON.stringify(line)}\n`;
    if (member.length < memberCharacters) continue;
    yield member;
    member = '';
  }
  if (member !== '') yield member;
}

/** A file that is new in a folder is durable with it. */
async function forced(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await andClose(handle, () => handle.sync());
}

async function andClose(handle: FileHandle, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } finally {
    await handle.close();
  }
}

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

/** With what the store has of it; undefined where it is gone. */
export async function messageLine(
  record: MessageRecord,
  messages: Pick<MessageReader, 'raw' | 'mapped'>,
): Promise<ArchivedLine> {
  const { answer, ...facts } = record;
  const raw = await messages.raw(record.id);
  const mapped = await messages.mapped(record.id);
  return {
    ...{ kind: 'message', ...facts },
    ...(answer === undefined ? {} : { answer: base64(answer) }),
    ...(raw === undefined ? {} : { raw: base64(raw) }),
    ...(mapped === undefined ? {} : { mapped: base64(mapped) }),
  };
}

export function deliveryLine({ payload, response, ...facts }: Delivery): ArchivedLine {
  return {
    ...{ kind: 'delivery', ...facts, payload: base64(payload) },
    ...(response === undefined
      ? {}
      : { response: { contentType: response.contentType, bytes: base64(response.bytes) } }),
  };
}
