// What Express is told: which endpoint stands under which path, and what answers where none does.
import express, { type Express, type Request, type Response } from 'express';
import type { HttpRoute } from '../kernel/http-route.ts';
import { send } from './answer.ts';
import type { FormatParts } from './answer-format.ts';
import { correlationOf } from './correlation.ts';
import { letPagesAsk } from './cors.ts';
import { failureAnswer, serve, type Endpoint, type EndpointParts } from './endpoint.ts';
import { methodNotAllowed, methodsByPath, nothingHere } from './fallback.ts';
import { fhirEndpoint } from './fhir-endpoint.ts';
import { createFhirRouter } from './fhir-router.ts';
import type { FhirParts } from './interaction.ts';
import { interactions } from './interactions.ts';
import { isUnder, serveExternal, type ExternalHandler } from './mount-external.ts';
import type { BodyLimits } from './read-body.ts';
import { routeEndpoint } from './route-endpoint.ts';
import type { TrustedPeers } from './trusted-peers.ts';

interface ExpressParts {
  readonly endpoint: EndpointParts;
  readonly fhir: FhirParts & FormatParts;
  readonly limits: BodyLimits;
  readonly routes: readonly HttpRoute[];
  /** May grow until the server listens. */
  readonly external: readonly ExternalHandler[];
  readonly trusted: TrustedPeers;
  /** Where pages come from that may ask. */
  readonly origins: readonly string[];
}

export function createExpressApp({
  endpoint: parts,
  fhir,
  limits,
  routes,
  external,
  trusted,
  origins,
}: ExpressParts): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', false);
  app.set('trust proxy', trusted.any ? (address: string) => trusted.has(address) : false);
  if (origins.length > 0) app.use(letPagesAsk(origins));
  mountFhir(app, parts, fhir, limits);
  const addressOf = (request: unknown): string => (request as Request).ip ?? '';
  for (const route of routes) {
    mountEndpoint(
      app,
      parts,
      route.method,
      route.path,
      routeEndpoint(route, limits, addressOf, parts.publicUrl),
    );
  }
  mountExternal(app, parts, external);
  mountRefusals(app, parts, routes);
  return app;
}

/** All that lies under the FHIR base, in one layer: how many interactions there are costs a request nothing. */
function mountFhir(
  app: Express,
  parts: EndpointParts,
  fhir: FhirParts & FormatParts,
  limits: BodyLimits,
): void {
  const route = createFhirRouter(interactions, (one) => fhirEndpoint(fhir, one, limits));
  app.use((request, response, next) => {
    const found = route(request.method, request.url);
    if (found) return serve(parts, found.endpoint, request, response, found.params);
    next();
  });
}

const verbs = { GET: 'get', POST: 'post', PUT: 'put', PATCH: 'patch', DELETE: 'delete' } as const;

function mountEndpoint(
  app: Express,
  parts: EndpointParts,
  method: HttpRoute['method'],
  path: string,
  endpoint: Endpoint,
): void {
  app[verbs[method]](path, (request: Request, response: Response) =>
    serve(parts, endpoint, request, response, request.params as Record<string, string>),
  );
}

function mountExternal(app: Express, parts: EndpointParts, external: readonly ExternalHandler[]): void {
  app.use((request, response, next) => {
    const handler = external.find(({ prefix }) => isUnder(prefix, request.url));
    if (!handler) {
      next();
      return;
    }
    return serveExternal(parts, handler, request, response);
  });
}

/** What nothing answers, and what Express itself cannot read. Who is not signed in does not learn which of the two it is. */
function mountRefusals(app: Express, parts: EndpointParts, mounted: readonly HttpRoute[]): void {
  for (const [path, methods] of methodsByPath(mounted)) {
    const endpoint = methodNotAllowed(methods);
    app.all(path, (request, response) => serve(parts, endpoint, request, response, {}));
  }
  app.use((request, response) => serve(parts, nothingHere, request, response, {}));
  app.use((error: unknown, request: Request, response: Response, next: (error: unknown) => void) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const correlationId = correlationOf(request.headers, parts.ids);
    const answer = failureAnswer(parts, 'unreadable', request, correlationId, error);
    send(response, answer, { correlationId, setCookie: undefined, last: parts.stopping() });
  });
}
