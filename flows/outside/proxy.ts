// The way of the browser to the editor: from the engine's HTTP server, after its sign-in, to the flows process.
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Socket } from 'node:net';
import { createProxyServer } from 'httpxy';
import { keyHeader, userHeader } from '../door.ts';

export interface Door {
  readonly port: number;
  readonly key: string;
}

export interface EditorProxy {
  /** Never throws; 503 with a plain page while there is no door. */
  handle(door: Door | undefined, user: string, request: IncomingMessage, response: ServerResponse): void;
  upgrade(door: Door | undefined, user: string, request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

const target = ({ port }: Door): { readonly target: string } => ({ target: `http://127.0.0.1:${port}` });

export function createEditorProxy(): EditorProxy {
  const proxy = createProxyServer({ xfwd: false, proxyTimeout: 120_000, upgradeTimeout: 10_000 });
  const doors = new WeakMap<IncomingMessage, { readonly door: Door; readonly user: string }>();

  const dress = (out: ClientRequest, request: IncomingMessage): void => {
    const known = doors.get(request);
    if (known === undefined) return;
    // What proves the user's sign-in to the engine is none of the flows' business.
    for (const name of ['cookie', 'authorization']) out.removeHeader(name);
    out.setHeader(keyHeader, known.door.key);
    out.setHeader(userHeader, known.user);
  };
  proxy.on('proxyReq', dress);
  proxy.on('proxyReqWs', dress);
  proxy.on('proxyRes', (answer) => delete answer.headers['set-cookie']);
  proxy.on('error', (_error, _request, response) => {
    if (response !== undefined && 'writeHead' in response) starting(response);
    else response?.destroy();
  });

  return {
    handle(door, user, request, response) {
      if (door === undefined) {
        starting(response);
        return;
      }
      doors.set(request, { door, user: headerText(user) });
      proxy.web(wholePath(request), response, target(door)).catch(() => starting(response));
    },
    upgrade(door, user, request, socket, head) {
      if (door === undefined || !(socket instanceof Socket)) {
        socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n');
        return;
      }
      doors.set(request, { door, user: headerText(user) });
      socket.on('error', () => socket.destroy());
      proxy.ws(wholePath(request), socket, target(door), head).catch(() => socket.destroy());
    },
  };
}

/** Express takes the path off under which a handler is mounted. */
function wholePath(request: IncomingMessage & { readonly originalUrl?: string }): IncomingMessage {
  request.url = request.originalUrl ?? request.url ?? '/';
  return request;
}

/** A header holds visible ASCII only. */
const headerText = (user: string): string =>
  user
    .replaceAll(/[^\x21-\x7e ]/g, '?')
    .slice(0, 100)
    .trim() || 'admin';

const page = `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <meta http-equiv="refresh" content="3">
  <title>Kiungo flows</title>
  <p>The flow editor is starting. This page looks again in a moment.</p>
</html>
`;

function starting(response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(503, { 'content-type': 'text/html; charset=utf-8', 'retry-after': '3' }).end(page);
}
