// One kept-alive HTTP connection that costs as little as it can: requests are ready-made bytes, answers are only cut apart.
import { connect, type Socket } from 'node:net';

const headEnd = Buffer.from('\r\n\r\n');

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** Sends one request at a time; `exchange` resolves with its answer. Understands Content-Length and chunked bodies. */
export class HttpConnection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#socket.on('error', (error) => this.#waiting?.reject(error));
    this.#socket.on('close', () => this.#waiting?.reject(new Error('the connection was closed')));
  }

  exchange(request: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const answer = cutAnswer(this.#received);
    if (answer === undefined || this.#waiting === undefined) return;
    this.#received = Buffer.alloc(0);
    const { resolve } = this.#waiting;
    this.#waiting = undefined;
    resolve(answer);
  }
}

function cutAnswer(bytes: Buffer): Answer | undefined {
  const end = bytes.indexOf(headEnd);
  if (end < 0) return undefined;
  const head = bytes.toString('latin1', 0, end);
  const status = Number(head.slice(9, 12));
  const start = end + headEnd.length;
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (length !== undefined) return cutByLength(bytes, status, start, Number(length));
  if (/\r\ntransfer-encoding: chunked/i.test(head)) return cutChunked(bytes, status, start);
  return { status, body: Buffer.alloc(0) };
}

function cutByLength(bytes: Buffer, status: number, start: number, length: number): Answer | undefined {
  if (bytes.length < start + length) return undefined;
  return { status, body: bytes.subarray(start, start + length) };
}

/** The last chunk is empty; the pieces are left as they came, since no load needs them joined. */
function cutChunked(bytes: Buffer, status: number, start: number): Answer | undefined {
  if (!bytes.subarray(-5).equals(Buffer.from('0\r\n\r\n'))) return undefined;
  return { status, body: bytes.subarray(start) };
}

/** A request as bytes, made once and sent many times. */
export function requestBytes(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: string,
): Buffer {
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const lines = Object.entries({ host: '127.0.0.1', ...headers, ...length }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body ?? ''}`);
}
