// The HTTP server: FHIR, the routes that other parts declare, sign-in, health and metrics, over Express.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Auth } from '../auth/create-auth.ts';
import { lazyShapes } from '../fhir/shapes/cache.ts';
import type { Shapes } from '../fhir/shapes/shape.ts';
import { createFhirXml } from '../fhir/xml/fhir-xml.ts';
import type { Clock } from '../kernel/clock.ts';
import type { HttpRoute } from '../kernel/http-route.ts';
import type { Ids } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Tracer } from '../kernel/tracer.ts';
import { unavailable } from '../kernel/outcomes.ts';
import type { ConditionalRepository } from '../repository/create-repository.ts';
import type { Reindexing } from '../repository/reindex.ts';
import type { SearchIndex } from '../search/search-index.ts';
import type { Census, Tallies } from '../storage/message-store.ts';
import type { CommitCounts } from '../storage/store.ts';
import type { FormatParts } from './answer-format.ts';
import { createLater, type Later } from './async/later.ts';
import { BodyRoom } from './body-room.ts';
import { drain, rememberUpgraded } from './drain.ts';
import type { EndpointParts } from './endpoint.ts';
import { createExpressApp } from './express-app.ts';
import { publicUrlFor } from './forwarded.ts';
import { healthRoutes, type Readiness } from './health.ts';
import { fhirPath, type FhirParts } from './interaction.ts';
import { interactions } from './interactions.ts';
import { createMetrics } from './metrics.ts';
import { listenForUpgrades, type ExternalHandler } from './mount-external.ts';
import { outcomeAnswer } from './refusal-answer.ts';
import { usualStallMs } from './stalled.ts';
import { trustedPeers } from './trusted-peers.ts';
import { answerUnreadable } from './unreadable-request.ts';

export interface HttpServerOptions {
  readonly repository: ConditionalRepository;
  readonly index: SearchIndex;
  /** Without it there is no $reindex. */
  readonly reindexing?: Reindexing;
  readonly auth: Auth;
  /** Of all other parts; those of `auth`, health and metrics come by themselves. */
  readonly routes: readonly HttpRoute[];
  /** Shared with other parts, so that they are read once. */
  readonly shapes?: () => Shapes;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly tracer?: Tracer | undefined;
  /** Without a slash at its end; asked again for each request, since a port of 0 is known only after `listen`. */
  readonly publicUrl: () => string;
  /** Of the engine, for the CapabilityStatement. */
  readonly version: string;
  readonly ready: () => Promise<Readiness>;
  /** Parts that are shown too, but without which the engine does its work. */
  readonly beside?: () => Readiness;
  readonly census: () => Promise<Census>;
  readonly commitCounts: () => CommitCounts;
  readonly tallies?: () => Promise<Tallies>;
  /** Largest body in bytes; default 50 MiB. */
  readonly bodyLimit?: number;
  /** What all bodies that are read or worked on may have together, bytes; default 256 MiB, or the largest body where that is more. */
  readonly bodiesLimit?: number;
  /** Largest content of a Binary in bytes; default 1 GiB. */
  readonly contentLimit?: number;
  /** Whether a person set the public URL: then it counts whatever proxies say. */
  readonly publicUrlIsFixed?: boolean;
  /** Addresses and CIDR ranges of the proxies whose Forwarded and X-Forwarded-… headers are believed; default none. */
  readonly trustedProxies?: readonly string[];
  /** Where pages come from that may ask FHIR out of a browser, `*` for anywhere; default none. */
  readonly corsOrigins?: readonly string[];
  /** A folder for the results of requests that are answered later, kept over a restart. Without it all are answered at once. */
  readonly resultsFolder?: string;
  /** How long `close` waits for what is under way, ms; default 10 s. */
  readonly drainMs?: number;
  /** How long a client may take nothing of its answer, or send nothing of its request, ms; default 2 min. */
  readonly stallMs?: number;
}

export interface HttpServer {
  /** Every endpoint that is mounted: for tests, and for whoever wants to know. */
  readonly endpoints: readonly MountedEndpoint[];
  /** Puts a handler under a path. To be called before `listen`. */
  mount(handler: ExternalHandler): void;
  /** Rejects when the address is taken. */
  listen(host: string, port: number): Promise<{ readonly port: number }>;
  /** Takes no more, answers what is under way, closes the connections. */
  close(): Promise<void>;
  readonly server: Server;
}

type MountedEndpoint = Pick<HttpRoute, 'method' | 'path' | 'access'>;

const mebibyte = 1024 * 1024;

export function createHttpServer(options: HttpServerOptions): HttpServer {
  let stopping = false;
  const { auth, ids, logger } = options;
  const metrics = createMetrics(options);
  const formats = formatParts(options.shapes);
  const trusted = trustedPeers(options.trustedProxies ?? []);
  const publicUrl = publicUrlFor({
    publicUrl: options.publicUrl,
    isFixed: options.publicUrlIsFixed ?? false,
    trusted,
  });
  const { tracer } = options;
  const parts: EndpointParts = {
    ...{ auth, ids, logger, metrics, formats, publicUrl, tracer },
    stopping: () => stopping,
    stallMs: options.stallMs ?? usualStallMs,
  };
  const routes = [
    ...auth.routes,
    ...healthRoutes(options.ready, options.beside ?? (() => ({})), parts.stopping),
    metrics.route,
    ...options.routes,
  ];
  const external: ExternalHandler[] = [];
  const { resultsFolder: folder, clock } = options;
  const later = folder === undefined ? undefined : createLater({ folder, clock, ids, interrupted });
  const { bodyLimit = 50 * mebibyte, contentLimit = 1024 * mebibyte } = options;
  const room = new BodyRoom(options.bodiesLimit ?? Math.max(256 * mebibyte, bodyLimit));
  const limits = { body: bodyLimit, content: contentLimit, room };
  const fhir = { ...fhirPartsOf(options, parts, later), ...formats };
  const origins = options.corsOrigins ?? [];
  const app = createExpressApp({ endpoint: parts, fhir, limits, routes, external, trusted, origins });
  const server = createServer({ ...patience, shouldUpgradeCallback: isWebSocket }, app);
  answerUnreadable(server);
  const upgraded = rememberUpgraded(server);
  listenForUpgrades(server, parts, external);
  return {
    endpoints: [...fhirEndpoints(), ...routes],
    mount: (handler) => void external.push(handler),
    listen: (host, port) => listen(server, host, port),
    close: async () => {
      stopping = true;
      await drain(server, upgraded, options.drainMs ?? 10_000);
      later?.close();
    },
    server,
  };
}

const interrupted = outcomeAnswer(
  unavailable(
    'the engine was ended while this was worked on; a transaction was carried out whole or not at all: look, or send it again under conditions',
  ),
);

/** Of a head, ms; a body may take as long as it goes on. */
const patience = { headersTimeout: 60_000, requestTimeout: 0 };

/** Other upgrades (h2c) are not taken up: the request is answered as if they were not asked for. */
const isWebSocket = ({ headers }: IncomingMessage): boolean => headers.upgrade?.toLowerCase() === 'websocket';

function fhirPartsOf(
  options: HttpServerOptions,
  { publicUrl }: EndpointParts,
  later: Later | undefined,
): Omit<FhirParts, 'shapes'> {
  const { repository, index, version, clock, logger } = options;
  return {
    repository,
    index,
    publicUrl,
    version,
    logger,
    later,
    reindexing: options.reindexing,
    cors: (options.corsOrigins ?? []).length > 0,
    startedAt: clock.now(),
  };
}

const formatParts = (shapes = lazyShapes()): FormatParts => ({ shapes, xml: createFhirXml(shapes) });

const fhirUrl = (path: string): string => (path === '/' ? fhirPath : `${fhirPath}${path}`);

const fhirEndpoints = (): readonly MountedEndpoint[] =>
  interactions.map(({ method, path, access }) => ({
    method,
    path: fhirUrl(path),
    access: access === 'public' ? 'public' : 'signed-in',
  }));

function listen(server: Server, host: string, port: number): Promise<{ readonly port: number }> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve({ port: (server.address() as AddressInfo).port });
    });
  });
}
