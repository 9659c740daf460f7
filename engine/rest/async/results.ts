// Requests that are answered later, each in two files of its own until its result is fetched: what is known of it, and the result. They
// outlive the engine, so that a restart neither loses a result nor hides that there will be none.
import { createReadStream, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { HttpAnswer } from '../../kernel/http-route.ts';
import { Refusal } from '../../kernel/outcomes.ts';
import { isStream } from '../answer.ts';

/** Longer results are refused, bytes. */
const mostKept = 2 ** 30;

/** What is known of a request. */
export interface Kept {
  readonly id: string;
  readonly owner: string;
  /** undefined: it was under way. */
  readonly done: Done | undefined;
}

export interface Done {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: number;
  /** ms since 1970. */
  readonly at: number;
}

export interface Results {
  /** What earlier engines have left. */
  earlier(): readonly Kept[];
  /** Resolves when it is durable. */
  note(kept: Kept): Promise<void>;
  /** Writes the body of an answer; stops when `isCancelled`. Throws Refusal `too-large`. Answers its bytes. */
  keep(id: string, body: HttpAnswer['body'], isCancelled: () => boolean): Promise<number>;
  read(id: string): AsyncIterable<Uint8Array>;
  drop(id: string): Promise<void>;
}

export function createResults(folder: string): Results {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const resultOf = (id: string): string => join(folder, `${id}.json`);
  const noteOf = (id: string): string => join(folder, `${id}.request`);
  return {
    earlier: () => earlierIn(folder, noteOf),
    note: async (kept) => {
      await write(`${noteOf(kept.id)}.new`, JSON.stringify(kept), () => false);
      await rename(`${noteOf(kept.id)}.new`, noteOf(kept.id));
    },
    keep: (id, body, isCancelled) => write(resultOf(id), body, isCancelled),
    read: (id) => createReadStream(resultOf(id)) as AsyncIterable<Uint8Array>,
    drop: async (id) => {
      await rm(resultOf(id), { force: true });
      await rm(noteOf(id), { force: true });
    },
  };
}

/** What belongs to no request, or to one that was not yet noted whole, is removed. */
function earlierIn(folder: string, noteOf: (id: string) => string): readonly Kept[] {
  const names = new Set(readdirSync(folder));
  const ids = [...names]
    .filter((name) => name.endsWith('.request'))
    .map((name) => name.slice(0, -'.request'.length));
  const known = new Set(ids.flatMap((id) => [`${id}.request`, `${id}.json`]));
  for (const name of names) if (!known.has(name)) rmSync(join(folder, name), { force: true });
  return ids.map((id) => JSON.parse(readFileSync(noteOf(id), 'utf8')) as Kept);
}

async function write(file: string, body: HttpAnswer['body'], isCancelled: () => boolean): Promise<number> {
  const handle = await open(file, 'w', 0o600);
  let written = 0;
  try {
    for await (const piece of piecesOf(body)) {
      if (isCancelled()) break;
      const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
      written += bytes.length;
      if (written > mostKept) {
        throw new Refusal('too-large', 'the result is too large to be kept; ask in pages');
      }
      await handle.writeFile(bytes);
    }
    await handle.sync();
    return written;
  } finally {
    await handle.close();
  }
}

async function* piecesOf(body: HttpAnswer['body']): AsyncGenerator<string | Uint8Array> {
  if (body === undefined) return;
  if (isStream(body)) yield* body;
  else yield typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
}
