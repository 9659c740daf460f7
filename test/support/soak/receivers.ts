// Receivers with faults: one over MLLP that cuts lines, answers AE and is away for a while; one over HTTP that is slow besides.
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { pause, type Chance } from './chance.ts';
import { controlOf, type Ledger } from './ledger.ts';

export interface Receiver {
  readonly port: number;
  /** How often each fault was made. */
  readonly faults: Readonly<Record<string, number>>;
  /** From now on without faults. */
  calm(): void;
  /** Cuts all lines and takes none for a while. */
  leave(ms: number): Promise<void>;
  close(): void;
}

const startOfBlock = 0x0b;
const endOfBlock = 0x1c;

export async function mllpReceiver(ledger: Ledger, chance: Chance): Promise<Receiver> {
  const faults = { cut: 0, AE: 0, away: 0 };
  let isCalm = false;
  const answer = (socket: Socket, message: string): void => {
    const control = controlOf(message);
    const reply = (code: string): void => {
      const text = `MSH|^~\\&|LIS|H|K|K|20260112083000||ACK|${control}|P|2.3.1\rMSA|${code}|${control}\r`;
      socket.write(Buffer.from(`\x0b${text}\x1c\r`));
    };
    if (!isCalm && chance.percent(2)) {
      faults.cut += 1;
      // Half of those have taken the message before the line was cut.
      if (chance.percent(50)) ledger.take(control, false);
      socket.destroy();
    } else if (!isCalm && chance.percent(2)) {
      faults.AE += 1;
      reply('AE');
    } else {
      ledger.take(control, true);
      reply('AA');
    }
  };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      for (let end = received.indexOf(endOfBlock); end >= 0; end = received.indexOf(endOfBlock)) {
        const message = received.subarray(received.indexOf(startOfBlock) + 1, end).toString();
        received = received.subarray(end + 2);
        answer(socket, message);
      }
    });
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  const port = await listen(server, 0);
  const cutAll = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    ...{ port, faults },
    calm: () => (isCalm = true),
    leave: async (ms) => {
      faults.away += 1;
      server.close();
      cutAll();
      await pause(ms);
      await listen(server, port);
    },
    close: () => {
      server.close();
      cutAll();
    },
  };
}

export async function httpReceiver(ledger: Ledger, chance: Chance): Promise<Receiver> {
  const faults = { cut: 0, '503': 0, slow: 0, away: 0 };
  let isCalm = false;
  let isAway = false;
  const server = createHttpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => void answer(controlOf(Buffer.concat(chunks).toString())));
    const answer = async (control: string): Promise<void> => {
      if (isAway || (!isCalm && chance.percent(1))) {
        faults.cut += 1;
        if (!isAway && chance.percent(50)) ledger.take(control, false);
        response.destroy();
        return;
      }
      if (!isCalm && chance.percent(1)) {
        faults['503'] += 1;
        response.writeHead(503).end();
        return;
      }
      if (!isCalm && chance.percent(2)) {
        faults.slow += 1;
        await pause(chance.between(50, 500));
      }
      // Whoever has gone meanwhile is not told.
      ledger.take(control, !response.destroyed);
      response.writeHead(200).end();
    };
  });
  const port = await listen(server, 0);
  return {
    ...{ port, faults },
    calm: () => (isCalm = true),
    leave: async (ms) => {
      faults.away += 1;
      isAway = true;
      server.closeAllConnections();
      await pause(ms);
      isAway = false;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

const listen = (server: Server, port: number): Promise<number> =>
  new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', fail);
      done((server.address() as AddressInfo).port);
    });
  });
