// HTTP to all of it: FHIR, what people do about messages, the editor of the flows, sign-in.
import { join } from 'node:path';
import type { FlowsSupervisor } from '../../flows/supervisor.ts';
import { createAuth } from '../auth/create-auth.ts';
import type { HttpRoute } from '../kernel/http-route.ts';
import type { ReloadableMapper } from '../mapping/create-mapper.ts';
import type { Compose } from '../messages/compose.ts';
import { channelRoutes } from '../rest/admin/channels.ts';
import { deliveryRoutes } from '../rest/admin/deliveries.ts';
import { eventRoutes } from '../rest/admin/events.ts';
import { mappingRoutes } from '../rest/admin/mappings.ts';
import { messageRoutes } from '../rest/admin/messages.ts';
import { renderRoutes } from '../rest/admin/render.ts';
import { replayRoutes } from '../rest/admin/replays.ts';
import { createHttpServer, type HttpServer } from '../rest/create-server.ts';
import { startPageRoute } from '../rest/start-page.ts';
import type { Ambient } from './ambient.ts';
import { administrator, type FirstCredentials } from './first-credentials.ts';
import { flowsPath } from './flows.ts';
import type { Kept } from './kept.ts';
import type { Messages } from './messages.ts';
import type { Operating } from './operating.ts';
import type { Config } from './read-config.ts';

interface HttpParts {
  readonly config: Config;
  readonly ambient: Ambient;
  readonly version: string;
  /** Of whom signs in, and by which tokens are signed (base64url). */
  readonly credentials: FirstCredentials;
  readonly tokenKey: string;
  /** Asked for each request. */
  readonly publicUrl: () => string;
  readonly kept: Kept;
  readonly mapper: ReloadableMapper;
  readonly compose: Compose;
  readonly messages: Messages;
  readonly flows: FlowsSupervisor;
  readonly operating: Operating;
}

export async function createHttp(parts: HttpParts): Promise<HttpServer> {
  const { config, ambient, version, credentials, publicUrl, flows } = parts;
  const { store, repository, index, reindexing, shapes } = parts.kept;
  const auth = createAuth({
    ...{ ...ambient, publicUrl, ...(await administrator(credentials, ambient.ids)) },
    signingKey: Buffer.from(parts.tokenKey, 'base64url'),
  });
  const http = createHttpServer({
    ...{ ...ambient, repository, index, reindexing, shapes, auth, version, publicUrl },
    publicUrlIsFixed: config.publicUrl !== undefined,
    trustedProxies: config.trustProxy ?? [],
    corsOrigins: config.corsOrigins ?? [],
    bodyLimit: config.maxMessageBytes,
    contentLimit: config.maxBinaryBytes,
    resultsFolder: join(config.data, 'results'),
    ready: async () => ({ store: await answers(store.check()) }),
    beside: () => ({ flows: flows.ready() }),
    census: () => store.messages.census(),
    tallies: () => store.messages.tallies(),
    commitCounts: () => store.commitCounts(),
    routes: routesOf(parts),
  });
  http.mount({
    prefix: flowsPath,
    access: 'admin',
    handle: (request, response) => flows.handle(request, response),
    upgrade: (request, socket, head) => flows.upgrade(request, socket, head),
  });
  return http;
}

function routesOf({ ambient, kept, mapper, compose, messages, operating }: HttpParts): readonly HttpRoute[] {
  const { clock } = ambient;
  const { repository, store } = kept;
  const { book, runner, inbox, formats } = messages;
  const { deadLetters, replays, resend, live, alerts } = operating;
  return [
    ...channelRoutes({ book, runner, messages: store.messages }),
    startPageRoute,
    ...messageRoutes({ messages: store.messages, inbox, formats, deadLetters }),
    ...replayRoutes({ replays, resend }),
    ...eventRoutes({ live, alerts }),
    ...deliveryRoutes({ messages: store.messages, deadLetters }),
    ...mappingRoutes({ mapper, reload: () => mapper.reload(), formats, repository, clock }),
    ...renderRoutes({ mapper, compose, repository }),
  ];
}

const answers = (check: Promise<void>): Promise<boolean> =>
  check.then(
    () => true,
    () => false,
  );
