// What the engine and the flows process say to each other: one JSON value a line, requests with their answers, and notices.
// A line that grows too long, or is no JSON, ends the channel: the other side is not trusted with our memory.
import type { Duplex } from 'node:stream';

/** Longest line, in bytes: a page of resources fits, a runaway flow does not. */
const maxLineBytes = 16 * 1024 * 1024;
/** Requests that one side may have under way at the other. */
const maxUnderWay = 256;

export interface ChannelEnds {
  parse(line: string): unknown;
  stringify(value: unknown): string;
  /** Answers a request of the other side; a ChannelFailure is handed over as it is, anything else as `defect`. */
  answer(method: string, params: unknown): Promise<unknown>;
  notice(name: string, params: unknown): void;
  /** Once, when nothing can be said any more. */
  ended(reason: string): void;
}

export interface Channel {
  /** Rejects with ChannelFailure: the other side's, `time-out`, `too-large` or `closed`. */
  request(method: string, params: unknown, timeoutMs: number): Promise<unknown>;
  /** Lost without a word when the channel has ended. */
  notify(name: string, params: unknown): void;
  close(): void;
}

/** Why a request was not answered. `code` is the other side's failure code or one of this channel's own. */
export class ChannelFailure extends Error {
  readonly code: string;
  constructor(code: string, text: string) {
    super(text);
    this.name = 'ChannelFailure';
    this.code = code;
  }
}

interface Waiting {
  resolve(value: unknown): void;
  reject(failure: ChannelFailure): void;
  readonly timer: NodeJS.Timeout;
}

export function createChannel(stream: Duplex, ends: ChannelEnds): Channel {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let open = true;
  let underWay = 0;

  const end = (reason: string): void => {
    if (!open) return;
    open = false;
    stream.destroy();
    for (const request of waiting.values()) {
      clearTimeout(request.timer);
      request.reject(new ChannelFailure('closed', 'the other process is gone'));
    }
    waiting.clear();
    ends.ended(reason);
  };

  const write = (line: string): void => {
    if (open) stream.write(`${line}\n`);
  };

  const takeAnswer = (id: number, line: Readonly<Record<string, unknown>>): void => {
    const request = waiting.get(id);
    if (request === undefined) return;
    waiting.delete(id);
    clearTimeout(request.timer);
    if (typeof line.failure === 'string') {
      request.reject(new ChannelFailure(line.failure, String(line.text)));
    } else request.resolve(line.value);
  };

  const giveAnswer = async (id: number, method: string, params: unknown): Promise<void> => {
    underWay += 1;
    try {
      const value = await ends.answer(method, params);
      write(answerLine(id, value, ends));
    } catch (error) {
      write(JSON.stringify({ id, ...asFailure(error) }));
    } finally {
      underWay -= 1;
    }
  };

  const take = (text: string): void => {
    const line = ends.parse(text) as Readonly<Record<string, unknown>> | null;
    if (line === null || typeof line !== 'object') throw new TypeError('not an object');
    if (typeof line.notice === 'string') ends.notice(line.notice, line.params);
    else if (typeof line.id !== 'number') throw new TypeError('neither a notice nor a request');
    else if (typeof line.method !== 'string') takeAnswer(line.id, line);
    else if (underWay >= maxUnderWay) {
      write(JSON.stringify({ id: line.id, failure: 'too-many-requests', text: 'too many requests' }));
    } else void giveAnswer(line.id, line.method, line.params);
  };

  stream.on(
    'data',
    cutLines(
      (text) => {
        try {
          take(text);
        } catch {
          end('a line could not be read');
        }
      },
      () => end('a line was too long'),
    ),
  );
  stream.on('error', () => end('the pipe broke'));
  stream.on('close', () => end('the pipe closed'));

  return {
    request: (method, params, timeoutMs) =>
      new Promise((resolve, reject) => {
        if (!open) {
          reject(new ChannelFailure('closed', 'the other process is gone'));
          return;
        }
        const id = (lastId += 1);
        const line = ends.stringify({ id, method, params });
        if (line.length > maxLineBytes / 3) {
          reject(new ChannelFailure('too-large', 'what was to be handed over is too large'));
          return;
        }
        const timer = setTimeout(() => {
          waiting.delete(id);
          reject(new ChannelFailure('time-out', 'the other process did not answer in time'));
        }, timeoutMs);
        waiting.set(id, { resolve, reject, timer });
        write(line);
      }),
    notify: (name, params) => write(ends.stringify({ notice: name, params })),
    close: () => end('closed'),
  };
}

/** In characters; a character takes at most three bytes of UTF-8, so the line cannot pass the other side's limit. */
function answerLine(id: number, value: unknown, ends: ChannelEnds): string {
  const line = ends.stringify({ id, value });
  if (line.length <= maxLineBytes / 3) return line;
  return JSON.stringify({
    id,
    failure: 'too-large',
    text: 'the answer is too large: ask for less at a time',
  });
}

function asFailure(error: unknown): { readonly failure: string; readonly text: string } {
  if (error instanceof ChannelFailure) return { failure: error.code, text: error.message };
  return { failure: 'defect', text: 'the request failed for a reason that is in the log' };
}

/** Cuts lines out of chunks; each byte is looked at once. */
function cutLines(line: (text: string) => void, tooLong: () => void): (chunk: Buffer) => void {
  let parts: Buffer[] = [];
  let bytes = 0;
  return (chunk) => {
    let from = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, at));
      from = at + 1;
      const text = Buffer.concat(parts).toString('utf8');
      parts = [];
      bytes = 0;
      line(text);
    }
    if (from < chunk.length) parts.push(chunk.subarray(from));
    bytes += chunk.length - from;
    if (bytes > maxLineBytes) tooLong();
  };
}
