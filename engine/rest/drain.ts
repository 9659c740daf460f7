// Stopping a server without cutting anybody off: no new connections, what is under way is answered, then the sockets are closed.
import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';

const lookAgainMs = 50;

/** Closes a listening server; what is not done after `limitMs` is cut off. Once a socket was upgraded, it is not waited for. */
export async function drain(server: Server, upgraded: ReadonlySet<Duplex>, limitMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
  for (const socket of upgraded) socket.destroy();
  // Connections that fall idle while their last answer goes out are closed by looking for them.
  const idle = setInterval(() => server.closeIdleConnections(), lookAgainMs);
  const late = setTimeout(() => server.closeAllConnections(), limitMs);
  await closed;
  clearInterval(idle);
  clearTimeout(late);
}

/** The upgraded sockets of a server that are open: Node forgets them. */
export function rememberUpgraded(server: Server): ReadonlySet<Duplex> {
  const sockets = new Set<Duplex>();
  server.on('upgrade', (_request, socket: Duplex) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}
