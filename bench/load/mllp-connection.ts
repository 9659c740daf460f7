// One MLLP connection that sends one message at a time and waits for its acknowledgement.
import { connect, type Socket } from 'node:net';

export class MllpConnection {
  readonly #socket: Socket;
  #waiting: ((answer: string) => void) | undefined;
  #received = '';

  /** `from`: an address of this machine. */
  constructor(port: number, from = '127.0.0.1') {
    this.#socket = connect({ port, host: '127.0.0.1', localAddress: from, noDelay: true });
    this.#socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1');
      if (!this.#received.includes('\x1c')) return;
      const answer = this.#received;
      this.#received = '';
      this.#waiting?.(answer);
    });
  }

  /** Resolves with whether the message was accepted. */
  send(message: string): Promise<boolean> {
    return new Promise((resolve) => {
      this.#waiting = (answer) => resolve(/MSA\|[AC]A\|/.test(answer));
      this.#socket.write(`\x0b${message}\x1c\r`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
