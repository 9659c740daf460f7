// A real server over a real store and index, on a free port, with people and programs that may come in.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuth } from '../../../engine/auth/create-auth.ts';
import { fixedDirectory } from '../../../engine/auth/directory.ts';
import { hashPassword, hashSecret } from '../../../engine/auth/secrets.ts';
import type { HttpRoute } from '../../../engine/kernel/http-route.ts';
import { silentLogger, type LogFacts, type Logger } from '../../../engine/kernel/logger.ts';
import {
  createRepository,
  type ConditionalRepository,
} from '../../../engine/repository/create-repository.ts';
import { createReindexing } from '../../../engine/repository/reindex.ts';
import type { Change } from '../../../engine/repository/repository.ts';
import { createHttpServer, type HttpServer } from '../../../engine/rest/create-server.ts';
import type { ExternalHandler } from '../../../engine/rest/mount-external.ts';
import { loadSearchIndex } from '../../../engine/search/load-index.ts';
import { openSqliteStore } from '../../../engine/storage/sqlite/open.ts';
import type { SearchIndex } from '../../../engine/search/search-index.ts';
import type { Store } from '../../../engine/storage/store.ts';
import { countingIds, steppedClock, type SteppedClock } from '../fixed-parts.ts';

export interface RunningServer {
  readonly url: string;
  readonly fhir: string;
  readonly clock: SteppedClock;
  readonly store: Store;
  readonly index: SearchIndex;
  readonly repository: ConditionalRepository;
  readonly http: HttpServer;
  readonly resultsFolder: string;
  /** Changes as the listeners heard of them: `created Patient/1/_history/1`. */
  readonly events: string[];
  /** What was said to the log as warnings. */
  readonly warnings: LogFacts[];
  /** Errors that were logged. */
  readonly defects: { readonly facts: LogFacts; readonly cause: unknown }[];
  /** A bearer token of the client that may do everything. */
  readonly token: string;
  /** `scope` narrows what the token may do. */
  tokenOf(client: string, scope?: string): Promise<string>;
  /** Asks with the full token unless `authorization` is given. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  stop(): Promise<void>;
}

export interface ServerChoice {
  readonly routes?: readonly HttpRoute[];
  readonly mounts?: readonly ExternalHandler[];
  readonly bodyLimit?: number;
  readonly bodiesLimit?: number;
  readonly contentLimit?: number;
  readonly drainMs?: number;
  readonly stallMs?: number;
  readonly publicUrl?: string;
  /** Off unless asked for: most cases are not about what they refer to. */
  readonly referentialIntegrity?: boolean;
  readonly trustedProxies?: readonly string[];
  readonly corsOrigins?: readonly string[];
  onChange?(change: Change): void;
}

const clients = {
  everything: ['system/*.cruds', 'admin'],
  reader: ['system/Observation.rs'],
  patients: ['system/Patient.cruds'],
  writer: ['system/Patient.crud', 'system/Observation.c'],
} as const;

export const password = 'karibu sana 2024';
const salt = 'c2FsdHNhbHRzYWx0c2FsdA';
/** scrypt takes its time: once is enough. */
const passwordHash = hashPassword(password, salt);

export async function startServer(choice: ServerChoice = {}): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), 'kiungo-rest-'));
  const clock = steppedClock('2026-03-01T08:00:00Z');
  const store = await openSqliteStore({ file: join(folder, 'store.sqlite'), clock, logger: silentLogger });
  try {
    return await startOver(store, clock, folder, choice);
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function startOver(
  store: Store,
  clock: ReturnType<typeof steppedClock>,
  folder: string,
  choice: ServerChoice,
): Promise<RunningServer> {
  const resultsFolder = join(folder, 'results');
  const ids = countingIds();
  let url = '';
  const publicUrl = (): string => choice.publicUrl ?? url;
  const index = loadSearchIndex();
  const events: string[] = [];
  const warnings: LogFacts[] = [];
  const defects: RunningServer['defects'] = [];
  const logger: Logger = {
    ...silentLogger,
    warn: (facts) => void warnings.push(facts),
    error: (facts, _text, cause) => void defects.push({ facts, cause }),
  };
  const base = (): string => `${publicUrl()}/fhir/R4`;
  const repository = createRepository({
    store,
    index,
    clock,
    ids,
    base,
    logger,
    referentialIntegrity: choice.referentialIntegrity ?? false,
  });
  repository.onChange(async (change) => {
    choice.onChange?.(change);
    const { type, id, version } = change.version;
    events.push(`${change.outcome} ${type}/${id}/_history/${version}`);
  });
  const auth = createAuth({
    clients: fixedDirectory(
      Object.entries(clients).map(([id, scopes]) => ({ id, secretHash: hashSecret(secretOf(id)), scopes })),
      [],
    ),
    users: fixedDirectory(
      [],
      [
        { name: 'amina', passwordHash: await passwordHash, scopes: ['user/*.cruds', 'admin'] },
        { name: 'nurse', passwordHash: await passwordHash, scopes: ['user/*.rs'] },
      ],
    ),
    signingKey: new Uint8Array(32).fill(7),
    clock,
    ids,
    publicUrl,
  });
  const recipe = { base: '', zoneOffsetMinutes: 0 };
  const reindexing = createReindexing({ store, index, clock, logger, recipe });
  const http = createHttpServer({
    repository,
    index,
    reindexing,
    auth,
    routes: choice.routes ?? [],
    clock,
    ids,
    logger,
    publicUrl,
    version: '0.1.0',
    ready: async () => ({
      store: await store.check().then(
        () => true,
        () => false,
      ),
    }),
    census: () => store.messages.census(),
    commitCounts: () => store.commitCounts(),
    ...(choice.bodyLimit === undefined ? {} : { bodyLimit: choice.bodyLimit }),
    ...(choice.bodiesLimit === undefined ? {} : { bodiesLimit: choice.bodiesLimit }),
    ...(choice.contentLimit === undefined ? {} : { contentLimit: choice.contentLimit }),
    resultsFolder,
    publicUrlIsFixed: choice.publicUrl !== undefined,
    ...(choice.trustedProxies === undefined ? {} : { trustedProxies: choice.trustedProxies }),
    ...(choice.corsOrigins === undefined ? {} : { corsOrigins: choice.corsOrigins }),
    ...(choice.drainMs === undefined ? {} : { drainMs: choice.drainMs }),
    ...(choice.stallMs === undefined ? {} : { stallMs: choice.stallMs }),
  });
  for (const handler of choice.mounts ?? []) http.mount(handler);
  const { port } = await http.listen('127.0.0.1', 0);
  url = `http://127.0.0.1:${port}`;
  const tokenOf = async (client: string, scope?: string): Promise<string> => {
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: client,
      client_secret: secretOf(client),
      ...(scope === undefined ? {} : { scope }),
    });
    const response = await fetch(`${url}/oauth2/token`, { method: 'POST', body });
    return ((await response.json()) as { access_token: string }).access_token;
  };
  const token = await tokenOf('everything');
  return {
    url,
    fhir: `${url}/fhir/R4`,
    clock,
    store,
    index,
    repository,
    http,
    resultsFolder,
    events,
    warnings,
    defects,
    token,
    tokenOf,
    ask: (path, init = {}) => {
      const headers = new Headers(init.headers);
      if (!headers.has('authorization')) headers.set('authorization', `Bearer ${token}`);
      if (init.body !== undefined && !headers.has('content-type')) {
        headers.set('content-type', 'application/fhir+json');
      }
      return fetch(path.startsWith('/') ? `${url}${path}` : `${url}/fhir/R4/${path}`, {
        redirect: 'manual',
        ...init,
        headers,
      });
    },
    stop: async () => {
      await http.close();
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

export const secretOf = (client: string): string => `${client}-secret-of-many-random-bits`;
