// A bare TCP peer for the tests of the transport: writes bytes as they are, hands out what comes back frame by frame.
import { connect, type Socket } from 'node:net';
import { FrameDecoder } from '../../../../adapters/hl7/framing.ts';

export interface RawClient {
  readonly socket: Socket;
  write(bytes: Uint8Array | string): void;
  /** The next `count` answers as text. */
  answers(count: number): Promise<readonly string[]>;
  /** Resolves when the connection is closed, with all answers that had not been taken. */
  closed(): Promise<readonly string[]>;
}

export async function rawClient(port: number, host = '127.0.0.1'): Promise<RawClient> {
  const socket = connect({ port, host });
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return wrapped(socket);
}

export function wrapped(socket: Socket): RawClient {
  const decoder = new FrameDecoder({ maxFrameBytes: 100_000_000 });
  const received: string[] = [];
  const waiters = new Set<() => void>();
  let isClosed = false;
  const wake = (): void => waiters.forEach((waiter) => waiter());
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    for (const event of decoder.push(chunk)) {
      if (event.kind === 'message') received.push(event.bytes.toString());
    }
    wake();
  });
  socket.on('close', () => {
    isClosed = true;
    wake();
  });
  const until = (condition: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (!condition()) return;
        waiters.delete(check);
        resolve();
      };
      waiters.add(check);
      check();
    });
  return {
    socket,
    write: (bytes) => void socket.write(bytes),
    answers: async (count) => {
      await until(() => received.length >= count || isClosed);
      return received.splice(0, count);
    },
    closed: async () => {
      await until(() => isClosed);
      return received.splice(0);
    },
  };
}

/** A small message. */
export const oru = (controlId: string, text = 'x'): Buffer =>
  Buffer.from(
    `MSH|^~\\&|LAB|H|||20260102030405||ORU^R01|${controlId}|P|2.3.1||||||UNICODE\rOBX|1|ST|1||${text}\r`,
  );

/** The field of a segment in an answer: `field(answer, 'MSA', 2)`. */
export function field(answer: string, segment: string, number: number): string {
  const line = answer.split('\r').find((candidate) => candidate.startsWith(segment)) ?? '';
  return line.split('|')[segment === 'MSH' ? number - 1 : number] ?? '';
}
