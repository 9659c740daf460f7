// A handler from outside (the flow editor's proxy) under a path of ours, WebSockets included, behind our sign-in.
import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { HttpRoute } from '../kernel/http-route.ts';
import { Refusal } from '../kernel/outcomes.ts';
import { send } from './answer.ts';
import { correlationOf } from './correlation.ts';
import { failureAnswer, letIn, type EndpointParts } from './endpoint.ts';
import { endWhenStalled } from './stalled.ts';

export interface ExternalHandler {
  /** `/flows`: the handler gets everything at and under it, with the url as it came. */
  readonly prefix: string;
  readonly access: HttpRoute['access'];
  /** Answers by itself; what it throws is answered as a failure where nothing has been sent yet. */
  handle(request: IncomingMessage, response: ServerResponse): void | Promise<void>;
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void | Promise<void>;
}

export const isUnder = (prefix: string, url: string): boolean =>
  url === prefix || url.startsWith(`${prefix}/`) || url.startsWith(`${prefix}?`);

export async function serveExternal(
  parts: EndpointParts,
  handler: ExternalHandler,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const correlationId = correlationOf(request.headers, parts.ids);
  endWhenStalled(parts, { correlationId, interaction: handler.prefix }, request, response);
  try {
    const authentication = await letIn(parts, handler.access, request);
    response.setHeader('x-request-id', correlationId);
    if (authentication?.setCookie !== undefined) response.setHeader('set-cookie', authentication.setCookie);
    await handler.handle(request, response);
  } catch (error) {
    const answer = failureAnswer(parts, handler.prefix, request, correlationId, error);
    if (response.headersSent) response.destroy();
    else send(response, answer, { correlationId, setCookie: undefined, last: parts.stopping() });
  }
}

/** Hands upgrades to the handler whose prefix they ask for; all others are refused. */
export function listenForUpgrades(
  server: Server,
  parts: EndpointParts,
  handlers: readonly ExternalHandler[],
): void {
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    upgrade(parts, handlers, request, socket, head).catch((error: unknown) => {
      const correlationId = correlationOf(request.headers, parts.ids);
      refuseUpgrade(socket, failureAnswer(parts, 'upgrade', request, correlationId, error).status);
    });
  });
}

async function upgrade(
  parts: EndpointParts,
  handlers: readonly ExternalHandler[],
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const handler = handlers.find(({ prefix }) => isUnder(prefix, request.url ?? ''));
  await letIn(parts, handler?.access ?? 'signed-in', request);
  if (!handler?.upgrade) throw new Refusal('not-found', 'nothing here takes WebSockets');
  await handler.upgrade(request, socket, head);
}

function refuseUpgrade(socket: Duplex, status: number): void {
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  );
}
