// The wiring: builds every part from the settings, and starts and stops them in order. The contents page of the engine.
import { join } from 'node:path';
import { createMapper, type ReloadableMapper } from '../mapping/create-mapper.ts';
import { composer } from '../messages/compose.ts';
import type { HttpServer } from '../rest/create-server.ts';
import type { Ambient } from './ambient.ts';
import { createCertificates } from './certificates.ts';
import { createDataFolder, firstCredentials, keysOf } from './first-credentials.ts';
import { createFlows, startFlows } from './flows.ts';
import { createHttp } from './http.ts';
import { inOrder, type Part } from './in-order.ts';
import { openKept } from './kept.ts';
import { createMessages } from './messages.ts';
import { createOperating, startJobs } from './operating.ts';
import type { Config } from './read-config.ts';
import { noteRunning, noteStopped } from './running.ts';
import { createTracing } from './tracing.ts';
import type { Places } from './welcome.ts';

const version = '0.1.0';
const shippedMappings = join(import.meta.dirname, '..', '..', 'mappings');

export interface App {
  /** Resolves when the engine answers; tells where. Rejects when a part cannot start; then nothing runs. */
  start(): Promise<Places>;
  /** Reads renewed keys and certificates now, instead of within some seconds. */
  renewCertificates(): void;
  /** Takes nothing new, finishes what is under way, lets go of everything. */
  stop(): Promise<void>;
}

type Parts = Awaited<ReturnType<typeof build>>;

export async function createApp(config: Config, given: Ambient): Promise<App> {
  const parts = await build(config, given);
  const life = inOrder(orderOf(parts), given.logger);
  return {
    start: async () => {
      await life.start();
      const { bind, data } = config;
      const { address, messages, credentials } = parts;
      const { port: mllpPort } = messages.runner.status('hl7');
      return { publicUrl: address.url, bind, mllpPort, data, credentials: credentials.file, version };
    },
    renewCertificates: () => parts.certificates.look(),
    stop: () => life.stop(),
  };
}

/** What each part needs is made before it, or reaches it by a function that is called later. */
async function build(config: Config, { clock, ids, logger }: Ambient) {
  createDataFolder(config);
  const credentials = firstCredentials(config, ids);
  const keys = keysOf(config, ids);
  const address = new Address(config);
  const publicUrl = (): string => address.url;

  const { otelEndpoint } = config;
  const tracing = otelEndpoint === undefined ? undefined : await createTracing(otelEndpoint, version);
  const ambient: Ambient = { clock, ids, logger, tracer: tracing?.tracer };

  // First the maps: where they cannot be used, nothing has been opened yet.
  const mapper = await mapperOf(config, ambient);
  const kept = await openKept(config, ambient, () => `${publicUrl()}/fhir/R4`);
  const certificates = createCertificates(ambient);
  const messages = createMessages({ config, ambient, kept, mapper, certificates });
  const compose = composer({ mapper, formats: messages.formats });
  const { flowPort, flows } = createFlows({
    ...{ config, ambient, kept, messages, compose, credentialSecret: keys.flows },
  });
  const operating = createOperating({
    ...{ config, ambient, kept, messages },
    wakeFlows: () => flowPort.wake(),
    concerns: () => [...certificates.concerns(), ...messages.runner.concerns()],
  });
  const http = await createHttp({
    ...{ config, ambient, version, credentials, tokenKey: keys.token, publicUrl },
    ...{ kept, mapper, compose, messages, flows, operating },
  });
  return {
    ...{ config, logger, credentials, address, tracing, mapper, kept, certificates, messages },
    ...{ flowPort, flows, operating, http },
  };
}

/** Stopped from the end to the beginning. */
function orderOf({ config, logger, address, kept, messages, operating, ...parts }: Parts): readonly Part[] {
  const { tracing, mapper, certificates, flowPort, flows, http } = parts;
  const { store, searchParameters, reindexing } = kept;
  const { inbox, runner, processor, outbox } = messages;
  const { replays, alerts, live, jobs, indexingKept, sweeping } = operating;
  return [
    { name: 'traces', stop: () => tracing?.stop() },
    { name: 'store', stop: () => store.close() },
    { name: 'search parameters', start: () => searchParameters.start() },
    { name: 'reindexing', start: () => reindexing.start(), stop: () => reindexing.stop() },
    { name: 'channels, as they are kept', start: () => runner.load() },
    // Before the first write of the engine: from then on changes make events.
    { name: 'events for flows', start: () => flowPort.start(), stop: () => flowPort.stop() },
    { name: 'what came before', start: () => inbox.start() },
    // HTTP and flows hand work to these three for as long as they run themselves: so these stop after them. They start after them too, since
    // what they write needs the public address, which is known when HTTP listens, and makes the events that flows have asked for.
    { name: 'outbox', stop: () => outbox.stop() },
    { name: 'processor', stop: () => processor.stop() },
    { name: 'replays', stop: () => replays.stop() },
    { name: 'flows', start: () => startFlows(flows, flowPort, logger), stop: () => flows.stop() },
    // Answers go out through HTTP and channels until these have stopped; what became of the last is written then.
    { name: 'inbox', stop: () => inbox.stop() },
    { name: 'http', start: () => address.listen(http), stop: () => http.close() },
    { name: 'processor', start: () => processor.start() },
    { name: 'outbox', start: () => outbox.start() },
    { name: 'maps', ...watchOf(mapper) },
    { name: 'channels', start: () => runner.start(), stop: () => runner.stop() },
    // Those who watch do not leave by themselves, and HTTP would wait for them.
    { name: 'live counts', stop: () => live.stop() },
    { name: 'alerts', start: () => alerts.start(), stop: () => alerts.stop() },
    { name: 'replays', start: () => replays.start() },
    { name: 'certificates', start: () => certificates.start(), stop: () => certificates.stop() },
    { name: 'jobs', start: () => startJobs(operating), stop: () => jobs.stop() },
    { name: 'indexing of messages', start: () => indexingKept.start(), stop: () => indexingKept.stop() },
    { name: 'sweep of contents', start: () => sweeping.start(), stop: () => sweeping.stop() },
    {
      name: 'note for commands',
      start: () => noteRunning(config, address.port),
      stop: () => noteStopped(config.data),
    },
  ];
}

/** Where the engine is reached; a port of 0 is another one once it is listened on. */
class Address {
  readonly #config: Config;
  port: number;
  url: string;

  constructor(config: Config) {
    this.#config = config;
    this.port = config.httpPort;
    this.url = config.publicUrl ?? '';
  }

  async listen(http: HttpServer): Promise<void> {
    const { bind, httpPort, publicUrl } = this.#config;
    this.port = (await http.listen(bind, httpPort)).port;
    this.url = publicUrl ?? `http://${bind}:${this.port}`;
  }
}

function mapperOf(config: Config, { logger }: Ambient): Promise<ReloadableMapper> {
  return createMapper({
    folder: config.mappings ?? shippedMappings,
    ...(config.mapOverlays === undefined ? {} : { overlays: config.mapOverlays }),
    ...{ logger, facility: { timeZone: config.timeZone } },
  });
}

/** Changed maps are read again while the engine runs. */
function watchOf(mapper: ReloadableMapper): Pick<Part, 'start' | 'stop'> {
  let stop = (): void => undefined;
  return {
    start: () => {
      stop = mapper.watch();
    },
    stop: () => stop(),
  };
}
