// A plain MLLP client for tests, independent of the engine's own: writes frames, cuts answers.
import { connect, type Socket } from 'node:net';

export class MllpClient {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  readonly #waiting: { resolve: (answer: string) => void; reject: (error: Error) => void }[] = [];
  readonly #connected: Promise<void>;

  /** `from`: an address of this machine. */
  constructor(port: number, from = '127.0.0.1') {
    this.#socket = connect({ port, host: '127.0.0.1', localAddress: from, noDelay: true });
    this.#connected = new Promise((resolve, reject) => {
      this.#socket.once('connect', resolve);
      this.#socket.once('error', reject);
      this.#socket.once('close', () => reject(new Error('the connection was closed')));
    });
    // Whoever sends hears of it; whoever has only connected need not.
    this.#connected.catch(() => undefined);
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk));
    const fail = (): void => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('the connection was lost'));
    };
    this.#socket.on('error', fail);
    this.#socket.on('close', fail);
  }

  /** Sends one message and resolves with the next answer's text. */
  async send(message: string | Buffer): Promise<string> {
    await this.#connected;
    if (this.#socket.destroyed) throw new Error('the connection was lost');
    const answer = new Promise<string>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    this.#socket.write(Buffer.concat([Buffer.from([0x0b]), Buffer.from(message), Buffer.from([0x1c, 0x0d])]));
    return answer;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    for (let end = this.#received.indexOf(0x1c); end >= 0; end = this.#received.indexOf(0x1c)) {
      const text = this.#received.subarray(this.#received.indexOf(0x0b) + 1, end).toString();
      this.#received = this.#received.subarray(end + 2);
      this.#waiting.shift()?.resolve(text);
    }
  }
}

/** MSA-1 of an acknowledgement. */
export const codeOf = (answer: string): string => /\rMSA\|(\w+)/.exec(answer)?.[1] ?? '';
