// What has come and is durable, but not in the store yet: two files beside the store that are only ever appended to, so that an arrival
// can be answered while the store is busy with longer work. What the store holds meanwhile is begun anew over.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/** `number`: of arrival; later ones have greater ones. */
export interface JournalEntry {
  readonly number: number;
  readonly content: Uint8Array;
}

export interface ArrivalJournal {
  /** What is there and numbered above `mark`, in its order. What a power cut has left half written is not: nobody was told that it was kept. */
  read(mark: number): Promise<readonly JournalEntry[]>;
  /** Resolves when it is durable. Entries that come together share one fsync. Rejects with the error of the disk. */
  append(entry: JournalEntry): Promise<void>;
  /** Resolves when what is being written is durable; undefined where nothing is. */
  underWay(): Promise<void> | undefined;
  /** All entries up to this number are elsewhere: their space may be taken. */
  forget(number: number): void;
  /** Waits for what is under way. */
  close(): Promise<void>;
}

/** Once a file is as long, the other one is written, if nothing in it is needed any more. Bytes. */
const longFile = 8 * 1024 * 1024;
/** A shorter one is not worth emptying. Bytes. */
const shortFile = 1024 * 1024;

/** Opens `<path>.0` and `<path>.1`, making them (mode 0600) where they are not there. */
export async function openArrivalJournal(path: string): Promise<ArrivalJournal> {
  const files: JournalFile[] = [];
  for (const place of [0, 1]) files.push(new JournalFile(await openPrivately(`${path}.${place}`)));
  return new TwoFileJournal(files);
}

/** Each write is durable when it returns, where the system can do that in one step: one way to the disk and back, instead of two. */
const durably = constants.O_DSYNC as number | undefined;

const openPrivately = (path: string): Promise<FileHandle> =>
  open(path, constants.O_RDWR | constants.O_CREAT | (durably ?? 0), 0o600);

interface Waiting {
  readonly entry: JournalEntry;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

class TwoFileJournal implements ArrivalJournal {
  readonly #files: readonly JournalFile[];
  #current: JournalFile;
  #forgotten = 0;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;

  constructor(files: readonly JournalFile[]) {
    this.#files = files;
    this.#current = files[0] as JournalFile;
  }

  async read(mark: number): Promise<readonly JournalEntry[]> {
    this.#forgotten = mark;
    const found: JournalEntry[] = [];
    for (const file of this.#files) found.push(...(await file.read()));
    return found.filter(({ number }) => number > mark).toSorted((one, other) => one.number - other.number);
  }

  append(entry: JournalEntry): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, resolve, reject });
      this.#writing ??= this.#write();
    });
  }

  underWay(): Promise<void> | undefined {
    return this.#writing;
  }

  forget(number: number): void {
    this.#forgotten = number;
  }

  async close(): Promise<void> {
    await this.#writing;
    for (const file of this.#files) await file.close();
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const together = this.#waiting;
      this.#waiting = [];
      try {
        await this.#writeTogether(together.map(({ entry }) => entry));
        for (const { resolve } of together) resolve();
      } catch (error) {
        for (const { reject } of together) reject(error);
      }
    }
    this.#writing = undefined;
  }

  async #writeTogether(entries: readonly JournalEntry[]): Promise<void> {
    const other = this.#files.find((file) => file !== this.#current);
    if (this.#current.length > longFile && other !== undefined && this.#isOver(other)) this.#current = other;
    if (this.#current.length > shortFile && this.#isOver(this.#current)) await this.#current.empty();
    await this.#current.append(entries);
  }

  #isOver = (file: JournalFile): boolean => file.greatest <= this.#forgotten;
}

/** Of an entry in a file: how long its content is, the CRC of what follows the CRC, and its number. Bytes. */
const headSize = 16;

class JournalFile {
  /** Up to where it is whole: what may lie behind is written over. */
  length = 0;
  /** The greatest number of an entry in it. */
  greatest = 0;
  /** Behind that may lie what nobody was told of: it goes before anything is written, else it could follow on that. */
  #isTorn = false;
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async read(): Promise<readonly JournalEntry[]> {
    const bytes = await this.#handle.readFile();
    const entries: JournalEntry[] = [];
    this.length = 0;
    for (let entry = entryAt(bytes, 0); entry !== undefined; entry = entryAt(bytes, this.length)) {
      entries.push(entry);
      this.length += headSize + entry.content.byteLength;
      this.greatest = Math.max(this.greatest, entry.number);
    }
    this.#isTorn = bytes.byteLength > this.length;
    return entries;
  }

  async append(entries: readonly JournalEntry[]): Promise<void> {
    const bytes = Buffer.concat(entries.flatMap(({ number, content }) => [headOf(number, content), content]));
    if (this.#isTorn) await this.#handle.truncate(this.length);
    this.#isTorn = true;
    await writeAll(this.#handle, bytes, this.length);
    if (durably === undefined) await this.#handle.datasync();
    this.#isTorn = false;
    this.length += bytes.byteLength;
    for (const { number } of entries) this.greatest = Math.max(this.greatest, number);
  }

  async empty(): Promise<void> {
    await this.#handle.truncate(0);
    this.length = 0;
    this.greatest = 0;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

function headOf(number: number, content: Uint8Array): Buffer {
  const head = Buffer.alloc(headSize);
  head.writeUInt32LE(content.byteLength, 0);
  head.writeDoubleLE(number, 8);
  head.writeUInt32LE(crc32(content, crc32(head.subarray(8))), 4);
  return head;
}

/** Undefined where no whole entry is. */
function entryAt(bytes: Buffer, start: number): JournalEntry | undefined {
  if (bytes.byteLength < start + headSize) return undefined;
  const end = start + headSize + bytes.readUInt32LE(start);
  if (bytes.byteLength < end) return undefined;
  if (crc32(bytes.subarray(start + 8, end)) !== bytes.readUInt32LE(start + 4)) return undefined;
  return { number: bytes.readDoubleLE(start + 8), content: bytes.subarray(start + headSize, end) };
}

async function writeAll(handle: FileHandle, bytes: Buffer, place: number): Promise<void> {
  for (let written = 0; written < bytes.byteLength;) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.byteLength - written, place + written);
    written += bytesWritten;
  }
}
