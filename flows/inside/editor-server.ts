// The flows process's own HTTP server: on the loopback address, and only for who knows the key.
import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { keyHeader } from '../door.ts';

export interface EditorServer {
  /** Node-RED hangs its WebSocket here; it sees only upgrades that carried the key. */
  readonly inner: Server;
  /** Resolves with the port. */
  listen(editor: (request: IncomingMessage, response: ServerResponse) => void): Promise<number>;
  close(): void;
}

export function createEditorServer(key: string, publicPath: string): EditorServer {
  const inner = createServer();
  const outer = createServer();
  outer.on('upgrade', (request, socket, head) => {
    if (hasKey(request, key)) inner.emit('upgrade', request, socket, head);
    else socket.destroy();
  });

  return {
    inner,
    listen: (editor) =>
      new Promise((resolve, reject) => {
        outer.on('request', (request, response) => {
          if (!hasKey(request, key)) response.writeHead(403).end();
          else editor(mounted(request, publicPath), response);
        });
        outer.once('error', reject);
        outer.listen(0, '127.0.0.1', () => resolve((outer.address() as AddressInfo).port));
      }),
    close() {
      outer.close();
      outer.closeAllConnections();
    },
  };
}

function hasKey(request: IncomingMessage, key: string): boolean {
  const given = Buffer.from(String(request.headers[keyHeader]));
  const wanted = Buffer.from(key);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** As Express does for what is mounted under a path. */
function mounted(request: IncomingMessage, publicPath: string): IncomingMessage {
  const url = request.url ?? '/';
  const rest = url.startsWith(publicPath) ? url.slice(publicPath.length) : url;
  return Object.assign(request, { originalUrl: url, url: rest.startsWith('/') ? rest : `/${rest}` });
}
