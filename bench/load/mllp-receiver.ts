// A receiver over MLLP in a process of its own, that answers each message with AA at once. It tells its port; then, asked by any message, what it has
// received so far.
import { createServer, type Socket } from 'node:net';

/** Times are ms since 1970. */
export interface Received {
  readonly count: number;
  readonly firstAt: number;
  readonly lastAt: number;
}

const end = '\x1c\r';
let received: Received = { count: 0, firstAt: 0, lastAt: 0 };

const answerTo = (message: string): string => {
  const controlId = message.split('|', 10)[9] ?? '';
  return `\x0bMSH|^~\\&|||||1||ACK|1|P|2.3\rMSA|AA|${controlId}\r${end}`;
};

function serve(socket: Socket): void {
  let rest = '';
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    const messages = (rest + chunk.toString('latin1')).split(end);
    rest = messages.pop() ?? '';
    for (const message of messages) {
      const now = Date.now();
      received = { count: received.count + 1, firstAt: received.firstAt || now, lastAt: now };
      socket.write(answerTo(message));
    }
  });
}

const server = createServer({ noDelay: true }, serve);
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as { port: number }).port }));
process.on('message', () => process.send?.(received));
process.on('disconnect', () => process.exit());
