// Takes the files that others put on an SFTP server, each once it is complete: kept first, then moved aside or deleted. After a power cut
// in between the file is seen again, and the inbox knows it by its name, time and bytes.
import { createRounds, type Inbox, type Logger } from '../../engine/index.ts';
import type { RemoteFile, RemoteFiles } from './remote-files.ts';
import { SftpSession, type SftpPlace } from './session.ts';

export interface SftpWatchOptions extends SftpPlace {
  readonly inbox: Inbox;
  readonly channel: string;
  /** On the server; it must be there. The folders below lie within it, and are made when absent. */
  readonly folder: string;
  readonly mediaType: string;
  readonly charset?: string | undefined;
  /** Endings of names, whatever their case. */
  readonly endings: readonly string[];
  readonly everyMs: number;
  readonly maxBytes: number;
  readonly complete: Completeness;
  /** What becomes of a file that is kept: `taken/` or gone. */
  readonly afterwards: 'move' | 'delete';
  /** Whether acknowledgements are put into `answers/`. */
  readonly answers: boolean;
  readonly logger: Logger;
}

/**
 * When a file is whole. `unchanged`: size and time are the same at two looks in a row. `marker`: an empty file of its name with `.done` at
 * the end lies beside it. `renamed`: at once, since its sender writes under another ending and renames.
 */
export type Completeness = 'unchanged' | 'marker' | 'renamed';

export interface SftpWatch {
  /** The server may be away: it is looked for again at each look. */
  start(): Promise<object>;
  /** Finishes the file under way. */
  stop(): Promise<void>;
  /** Why the last look failed; undefined when it did not. */
  problem(): string | undefined;
}

const markerEnding = '.done';

type Seen = ReadonlyMap<string, RemoteFile>;

const isWhole: Readonly<Record<Completeness, (file: RemoteFile, now: Seen, before: Seen) => boolean>> = {
  unchanged: ({ name, size, modifiedAt }, _now, before) => {
    const earlier = before.get(name);
    return earlier?.size === size && earlier.modifiedAt === modifiedAt;
  },
  marker: ({ name }, now) => now.has(`${name}${markerEnding}`),
  renamed: () => true,
};

export function createSftpWatch(options: SftpWatchOptions): SftpWatch {
  const { everyMs, logger, channel } = options;
  const session = new SftpSession(options);
  let before: Seen = new Map();
  let problem: string | undefined;

  const look = async (isStopping: () => boolean): Promise<void> => {
    const files = await session.files();
    const now: Seen = new Map((await files.list(options.folder)).map((file) => [file.name, file]));
    for (const file of now.values()) {
      if (isStopping()) return;
      if (isWanted(file, options) && isWhole[options.complete](file, now, before)) {
        await take(file, files, options);
      }
    }
    before = now;
    problem = undefined;
  };
  const tell = (cause: unknown): void => {
    const text = (cause as Error).message;
    // Once for each trouble: a server that is away over night does not fill the log.
    if (text !== problem) {
      logger.error({ channel }, 'a folder on an SFTP server could not be looked at; tried again', cause);
    }
    problem = text;
  };
  const looks = createRounds({ round: look, failed: tell, pauseMs: () => everyMs });
  return {
    start: async () => {
      looks.start(0);
      return {};
    },
    stop: async () => {
      await looks.stop();
      session.close();
    },
    problem: () => problem,
  };
}

const isWanted = ({ name }: RemoteFile, { endings }: SftpWatchOptions): boolean =>
  !name.startsWith('.') && endings.some((ending) => name.toLowerCase().endsWith(ending.toLowerCase()));

/** What cannot be kept now stays where it is, and is taken at the next look. */
async function take(file: RemoteFile, files: RemoteFiles, options: SftpWatchOptions): Promise<void> {
  const { folder, maxBytes, logger, channel } = options;
  if (file.size > maxBytes) {
    logger.warn({ channel, bytes: file.size, limit: maxBytes }, 'refused a file: too large');
    await moveAside(file, 'refused', files, options);
    return;
  }
  const raw = await files.read(`${folder}/${file.name}`, file.size);
  // It has grown since it was listed.
  if (raw === undefined) return;
  const receipt = await options.inbox.receive(arrivalOf(file, raw, options));
  if (options.answers && receipt.answers.length > 0) {
    await files.makeFolder(`${folder}/answers`);
    await files.writeWhole(`${folder}/answers`, `${asideName(file)}.ack`, Buffer.concat(receipt.answers));
    receipt.answered('sent');
  }
  if (options.afterwards === 'move') await moveAside(file, 'taken', files, options);
  else await files.remove(`${folder}/${file.name}`);
  if (options.complete === 'marker') await files.remove(`${folder}/${file.name}${markerEnding}`);
}

function arrivalOf(
  { name, modifiedAt }: RemoteFile,
  raw: Uint8Array,
  { host, user, channel, mediaType, charset, answers }: SftpWatchOptions,
): Parameters<Inbox['receive']>[0] {
  const peer = `sftp:${user}@${host}/${name} ${new Date(modifiedAt * 1000).toISOString()}`;
  const arrival = { channel, peer, mediaType, raw, isFile: true, isOneWay: !answers };
  return charset === undefined ? arrival : { ...arrival, charset };
}

const asideName = ({ name, modifiedAt }: RemoteFile): string => `${name}.${modifiedAt}`;

async function moveAside(
  file: RemoteFile,
  place: 'taken' | 'refused',
  files: RemoteFiles,
  { folder }: SftpWatchOptions,
): Promise<void> {
  await files.makeFolder(`${folder}/${place}`);
  await files.rename(`${folder}/${file.name}`, `${folder}/${place}/${asideName(file)}`);
}
