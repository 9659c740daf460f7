// Takes the files that others write into a folder, each once it is complete: kept, then moved aside, so that a power cut in between
// takes it again and the inbox knows it.
import { mkdir, readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createRounds, type Inbox, type Logger } from '../../engine/index.ts';
import { writeWhole } from './write-whole.ts';

export interface FolderWatchOptions {
  readonly inbox: Inbox;
  readonly channel: string;
  /** Made when absent; `taken`, `refused` and `answers` within it too. */
  readonly folder: string;
  readonly mediaType: string;
  readonly charset?: string | undefined;
  /** Endings of names, whatever their case. */
  readonly endings: readonly string[];
  /** A file is complete when its size and time are the same at two looks in a row. */
  readonly everyMs: number;
  readonly maxBytes: number;
  readonly logger: Logger;
}

export interface FolderWatch {
  /** Rejects when the folder cannot be had. */
  start(): Promise<object>;
  /** Finishes the file under way. */
  stop(): Promise<void>;
}

interface Seen {
  readonly size: number;
  readonly mtimeMs: number;
}

const places = ['taken', 'refused', 'answers'] as const;

export function createFolderWatch(options: FolderWatchOptions): FolderWatch {
  const { folder, everyMs, logger } = options;
  let seen = new Map<string, Seen>();

  const look = async (isStopping: () => boolean): Promise<void> => {
    const now = await filesIn(options);
    for (const [name, file] of now) {
      const before = seen.get(name);
      if (isStopping() || before?.size !== file.size || before.mtimeMs !== file.mtimeMs) continue;
      await take(name, file, options);
    }
    seen = now;
  };
  const looks = createRounds({
    round: look,
    failed: (cause) => logger.error({}, 'a folder could not be looked at; tried again', cause),
    pauseMs: () => everyMs,
  });
  return {
    start: async () => {
      for (const place of places) await mkdir(join(folder, place), { recursive: true, mode: 0o700 });
      looks.start(everyMs);
      return {};
    },
    stop: () => looks.stop(),
  };
}

/** In the order of their names, which is how senders number them. */
async function filesIn({ folder, endings }: FolderWatchOptions): Promise<Map<string, Seen>> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .filter((name) => endings.some((ending) => name.toLowerCase().endsWith(ending.toLowerCase())));
  const found = new Map<string, Seen>();
  for (const name of names.sort()) {
    const { size, mtimeMs } = await stat(join(folder, name));
    found.set(name, { size, mtimeMs });
  }
  return found;
}

/** What cannot be kept now stays where it is, and is taken at the next look. */
async function take(name: string, file: Seen, options: FolderWatchOptions): Promise<void> {
  const { inbox, channel, folder, mediaType, charset, maxBytes, logger } = options;
  const aside = `${name}.${Math.trunc(file.mtimeMs)}`;
  if (file.size > maxBytes) {
    logger.warn({ channel, bytes: file.size, limit: maxBytes }, 'refused a file: too large');
    await rename(join(folder, name), join(folder, 'refused', aside));
    return;
  }
  const raw = await readFile(join(folder, name));
  const peer = `file:${name} ${new Date(file.mtimeMs).toISOString()}`;
  const arrival = { channel, peer, mediaType, raw, isFile: true };
  const receipt = await inbox.receive(charset === undefined ? arrival : { ...arrival, charset });
  if (receipt.answers.length > 0) {
    await writeWhole(join(folder, 'answers'), `${aside}.ack`, Buffer.concat(receipt.answers));
  }
  receipt.answered('sent');
  await rename(join(folder, name), join(folder, 'taken', aside));
}
