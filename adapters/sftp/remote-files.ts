// The files on an SFTP server, each request with a limit of time: listed, read, and written so that they are complete or not there at all.
import type { FileEntryWithStats, SFTPWrapper } from 'ssh2';
import { SftpFailure } from './failure.ts';

export interface RemoteFile {
  readonly name: string;
  readonly size: number;
  /** Seconds since 1970: the protocol has no finer time. */
  readonly modifiedAt: number;
}

type Callback<T> = (error: Error | null | undefined, value: T) => void;

/** What one request carries: every server takes 32 KiB. */
const pieceBytes = 32 * 1024;
/** Requests under way at the same time, so that a distant server does not make each wait for the one before. */
const atOnce = 32;

/** Throws SftpFailure. */
export class RemoteFiles {
  readonly #sftp: SFTPWrapper;
  readonly #timeoutMs: number;
  readonly #giveUp: () => void;

  /** `giveUp` ends the connection: an answer that is late must not be taken for that of a later request. */
  constructor(sftp: SFTPWrapper, timeoutMs: number, giveUp: () => void) {
    this.#sftp = sftp;
    this.#timeoutMs = timeoutMs;
    this.#giveUp = giveUp;
  }

  /** Plain files, in the order of their names. Names that lead elsewhere are left out. */
  async list(folder: string): Promise<readonly RemoteFile[]> {
    const entries = await this.#ask<FileEntryWithStats[]>((done) => this.#sftp.readdir(folder, done));
    return entries
      .filter(({ filename, attrs }) => attrs.isFile() && /^[^/\0\r\n]{1,255}$/.test(filename))
      .map(({ filename: name, attrs: { size, mtime: modifiedAt } }) => ({ name, size, modifiedAt }))
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** Undefined when it is not `size` bytes long any more. */
  async read(path: string, size: number): Promise<Buffer | undefined> {
    const handle = await this.#ask<Buffer>((done) => this.#sftp.open(path, 'r', done));
    // A byte more than it should have: it has grown when that is there.
    const content = Buffer.alloc(size + 1);
    try {
      const got = await inPieces(content.length, (at, length) => this.#fill(handle, content, at, length));
      return got === size ? content.subarray(0, size) : undefined;
    } finally {
      await this.#do((done) => this.#sftp.close(handle, done));
    }
  }

  /** Written aside in the same folder, closed, then renamed; a file of that name is replaced. */
  async writeWhole(folder: string, name: string, content: Uint8Array): Promise<void> {
    const aside = `${folder}/.${name}.part`;
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    const handle = await this.#ask<Buffer>((done) => this.#sftp.open(aside, 'w', { mode: 0o640 }, done));
    await inPieces(bytes.length, async (at, length) => {
      await this.#do((done) => this.#sftp.write(handle, bytes, at, length, at, done));
      return length;
    });
    await this.#do((done) => this.#sftp.close(handle, done));
    await this.rename(aside, `${folder}/${name}`);
  }

  /** The new name is taken over from whatever has it: at once where the server knows how, otherwise by removing that first. */
  async rename(from: string, to: string): Promise<void> {
    if (await this.#renameOver(from, to)) return;
    await this.remove(to);
    await this.#do((done) => this.#sftp.rename(from, to, done));
  }

  /** It may be gone already. */
  async remove(path: string): Promise<void> {
    try {
      await this.#do((done) => this.#sftp.unlink(path, done));
    } catch (error) {
      if (statusOf(error) !== status.noSuchFile) throw error;
    }
  }

  /** Made when absent. */
  async makeFolder(path: string): Promise<void> {
    const isThere = await this.#ask<unknown>((done) => this.#sftp.stat(path, done)).then(
      () => true,
      (error: unknown) => {
        if (statusOf(error) === status.noSuchFile) return false;
        throw error;
      },
    );
    if (!isThere) await this.#do((done) => this.#sftp.mkdir(path, done));
  }

  /** False where the server does not have OpenSSH's own rename. */
  async #renameOver(from: string, to: string): Promise<boolean> {
    try {
      await this.#do((done) => this.#sftp.ext_openssh_rename(from, to, done));
      return true;
    } catch (error) {
      if (!(error instanceof SftpFailure) || statusOf(error) === status.unsupported) return false;
      throw error;
    }
  }

  /** How many bytes there were: a server may give fewer at once than it is asked for. */
  async #fill(handle: Buffer, into: Buffer, from: number, length: number): Promise<number> {
    let filled = 0;
    for (let got = 1; got > 0 && filled < length; filled += got) {
      const at = from + filled;
      got = await this.#ask<number>((done) =>
        this.#sftp.read(handle, into, at, length - filled, at, (error, bytes) =>
          numberOf(error) === status.endOfFile ? done(undefined, 0) : done(error, bytes),
        ),
      );
    }
    return filled;
  }

  #do(request: (done: (error?: Error | null) => void) => unknown): Promise<void> {
    return this.#ask<undefined>((done) => request((error) => done(error, undefined)));
  }

  #ask<T>(request: (done: Callback<T>) => unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new SftpFailure('sftp-answer-timeout'));
        this.#giveUp();
      }, this.#timeoutMs);
      const done: Callback<T> = (error, value) => {
        clearTimeout(timer);
        if (error) reject(failureOf(error));
        else resolve(value);
      };
      try {
        request(done);
      } catch (error) {
        clearTimeout(timer);
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }
}

/** Does a long thing piece by piece, some of them at once, in order; the sum of what each answers. */
async function inPieces(
  length: number,
  work: (at: number, length: number) => Promise<number>,
): Promise<number> {
  let sum = 0;
  for (let begin = 0; begin < length; begin += atOnce * pieceBytes) {
    const end = Math.min(length, begin + atOnce * pieceBytes);
    const under: Promise<number>[] = [];
    for (let at = begin; at < end; at += pieceBytes) under.push(work(at, Math.min(pieceBytes, end - at)));
    for (const got of await Promise.all(under)) sum += got;
  }
  return sum;
}

/** Status codes of the protocol, chapter 7. */
const status = { endOfFile: 1, noSuchFile: 2, unsupported: 8 } as const;
const words: Readonly<Record<number, string>> = {
  2: 'no such file',
  3: 'permission denied',
  4: 'failure',
  8: 'operation not supported',
};

function numberOf(error: Error | null | undefined): number | undefined {
  const code: unknown = error && 'code' in error ? error.code : undefined;
  return typeof code === 'number' ? code : undefined;
}

const statusOf = (error: unknown): number | undefined =>
  error instanceof SftpFailure ? error.status : undefined;

/** A status is an answer; anything else means that none will come any more. */
function failureOf(error: Error): SftpFailure {
  const number = numberOf(error);
  if (number === undefined) return new SftpFailure('sftp-connection-lost');
  return new SftpFailure('sftp-refused', words[number] ?? `status ${number}`, number);
}
