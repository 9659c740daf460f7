// A route that another part declared as data, as an endpoint.
import type { HttpRequest, HttpRoute } from '../kernel/http-route.ts';
import type { Endpoint, Incoming } from './endpoint.ts';
import { rootOf } from './forwarded.ts';
import { readBody, type BodyLimits } from './read-body.ts';

/** What strangers may send, bytes: forms are small. It is held for each of them until all of it is there. */
const publicBodyLimit = 64 * 1024;

/** `addressOf`, `publicUrl`: the sender's address, and the URL by which it reaches us, as far as proxies can be trusted. */
export function routeEndpoint(
  route: HttpRoute,
  { body: bodyLimit, room }: BodyLimits,
  addressOf: (request: Incoming['request']) => string,
  publicUrl: (request: Incoming['request']) => string,
): Endpoint {
  const limit = route.access === 'public' ? Math.min(bodyLimit, publicBodyLimit) : bodyLimit;
  return {
    name: `${route.method} ${route.path}`,
    access: route.access,
    answer: async (incoming) => {
      const { request } = incoming;
      const share = room.share();
      try {
        const body = await readBody(request, limit, share);
        await share.begin();
        return await route.handle(requestOf(incoming, body, addressOf(request), publicUrl(request)));
      } finally {
        share.release();
      }
    },
  };
}

function requestOf(
  { request, params, actor, correlationId }: Incoming,
  body: Uint8Array,
  address: string,
  cameBy: string,
): HttpRequest {
  const { searchParams } = new URL(request.url ?? '/', 'http://here.invalid');
  return {
    actor,
    params,
    query: searchParams,
    headers: singleHeaders(request),
    body,
    correlationId,
    address,
    root: rootOf(cameBy),
    cameBy,
  };
}

/** Of headers that are there twice Node makes one text, but for a few: those are joined here. */
const singleHeaders = ({ headers }: Incoming['request']): HttpRequest['headers'] =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
