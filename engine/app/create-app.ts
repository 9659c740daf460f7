// The wiring: builds every part from the settings, and starts and stops them in order. The contents page of the engine.
import { join } from 'node:path';
import { hl7Format } from '../../adapters/hl7/format.ts';
import { createFlowsSupervisor } from '../../flows/supervisor.ts';
import { createAuth } from '../auth/create-auth.ts';
import { createScheduler } from '../jobs/scheduler.ts';
import { lazyShapes } from '../fhir/shapes/cache.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import { createMapper } from '../mapping/create-mapper.ts';
import { createQueryAnswers } from '../messages/answer-query.ts';
import { createChannelBook } from '../messages/channels/channel-book.ts';
import { readChannelFiles } from '../messages/channels/channel-files.ts';
import { channelPositions, createChannelRunner } from '../messages/channels/channel-runner.ts';
import { createSwitches } from '../messages/channels/switches.ts';
import { createDeadLetters } from '../messages/dead-letters.ts';
import { createFormats } from '../messages/formats.ts';
import { fhirFormat } from '../messages/fhir-format.ts';
import { createInbox } from '../messages/inbox.ts';
import { createIndexingKept } from '../messages/index-kept.ts';
import { createOutbox } from '../messages/outbox.ts';
import { createProcessor } from '../messages/processor.ts';
import { createReplays } from '../messages/replays.ts';
import { createResend } from '../messages/resend.ts';
import { createResponses } from '../messages/responses.ts';
import type { SettingsOf } from '../messages/stages.ts';
import { createRetention } from '../messages/retention.ts';
import { createParameterIndexing } from '../repository/parameter-indexing.ts';
import { createReindexing } from '../repository/reindex.ts';
import { createSweeping } from '../repository/sweep-contents.ts';
import { createRepository } from '../repository/create-repository.ts';
import { followSearchParameters } from '../repository/follow-search-parameters.ts';
import { channelRoutes } from '../rest/admin/channels.ts';
import { eventRoutes } from '../rest/admin/events.ts';
import { replayRoutes } from '../rest/admin/replays.ts';
import { deliveryRoutes } from '../rest/admin/deliveries.ts';
import { mappingRoutes } from '../rest/admin/mappings.ts';
import { composer } from '../messages/compose.ts';
import { renderRoutes } from '../rest/admin/render.ts';
import { messageRoutes } from '../rest/admin/messages.ts';
import { createHttpServer } from '../rest/create-server.ts';
import { startPageRoute } from '../rest/start-page.ts';
import { loadSearchIndex } from '../search/load-index.ts';
import { openSqliteStore } from '../storage/sqlite/open.ts';
import { createFlowPort } from '../subscriptions/flow-subscriptions.ts';
import { createCertificates } from './certificates.ts';
import { channelOfSettings, sourceMaker } from './channels.ts';
import { senderMaker } from './senders.ts';
import type { Config } from './read-config.ts';
import { administrator, createDataFolder, firstCredentials, keysOf } from './first-credentials.ts';
import { registerDestinations } from './destinations.ts';
import { noteRunning, noteStopped } from './running.ts';
import { recipeOf, storeFile } from './stored.ts';
import { timerMemory } from './timer-memory.ts';
import { createTracing } from './tracing.ts';
import { createWatching } from './watching.ts';
import type { Places } from './welcome.ts';

const version = '0.1.0';
/** How long the first start of all waits for the flows to say what they listen for. Later starts know. */
const flowsLimitMs = 20_000;
const shippedMappings = join(import.meta.dirname, '..', '..', 'mappings');

export interface App {
  /** Resolves when the engine answers; tells where. */
  start(): Promise<Places>;
  /** Reads renewed keys and certificates now, instead of within some seconds. */
  renewCertificates(): void;
  /** Takes nothing new, finishes what is under way, lets go of everything. */
  stop(): Promise<void>;
}

export async function createApp(
  config: Config,
  { clock, ids, logger }: { readonly clock: Clock; readonly ids: Ids; readonly logger: Logger },
): Promise<App> {
  createDataFolder(config);
  const credentials = firstCredentials(config, ids);
  const keys = keysOf(config, ids);
  let publicUrl = config.publicUrl ?? '';
  const base = (): string => `${publicUrl}/fhir/R4`;

  const { otelEndpoint } = config;
  const tracing = otelEndpoint === undefined ? undefined : await createTracing(otelEndpoint, version);
  const tracer = tracing?.tracer;

  // What is kept, and FHIR's rules about it.
  const store = await openSqliteStore({ file: storeFile(config), clock, logger });
  const recipe = recipeOf(config, clock);
  const index = loadSearchIndex(recipe);
  const { referentialIntegrity } = config;
  const shapes = lazyShapes();
  const repository = createRepository({
    store,
    index,
    shapes,
    clock,
    ids,
    logger,
    base,
    referentialIntegrity,
  });
  const reindexing = createReindexing({ store, index, clock, logger, recipe });
  const indexing = createParameterIndexing({
    store,
    reindexing,
    index,
    clock,
    logger,
    automatic: config.reindex,
  });
  const { resources } = store;
  const searchParameters = followSearchParameters({ repository, resources, index, logger, indexing });

  // Messages in, mapped, and out.
  const formats = createFormats([hl7Format, fhirFormat]);
  const mapper = await createMapper({
    folder: config.mappings ?? shippedMappings,
    ...(config.mapOverlays === undefined ? {} : { overlays: config.mapOverlays }),
    logger,
    facility: { timeZone: config.timeZone },
  });
  let stopWatchingMaps = (): void => undefined;
  const outbox = createOutbox({
    ...{ store, clock, logger, tracer },
    responses: createResponses({
      ...{ repository, formats, mapper, clock, ids, logger, tracer },
      settingsOf: (channel) => runner.settingsOf(channel),
      listeners: () => processor.listeners(),
      held: () => runner.held(),
      wake: () => processor.wake(),
    }),
  });
  registerDestinations(outbox, { config, logger });
  const book = createChannelBook({
    store,
    clock,
    ofSettings: [channelOfSettings(config)],
    ofFiles: config.channels === undefined ? [] : readChannelFiles(config.channels),
  });
  const channelSettings: SettingsOf = (channel) => runner.settingsOf(channel);
  const queries = createQueryAnswers({
    ...{ mapper, repository, clock, ids },
    settingsOf: channelSettings,
    wakeOutbox: () => outbox.wake(),
  });
  const inbox = createInbox({
    tracer,
    store,
    formats,
    queries,
    settingsOf: channelSettings,
    admit: (channel) => runner.admit(channel),
    clock,
    ids,
    logger,
    wake: (channel) => processor.wake(channel),
  });
  const certificates = createCertificates({ clock, logger });
  const channelParts = { config, clock, ids, certificates, logger: logger.child({ part: 'channels' }) };
  const runner = createChannelRunner({
    book,
    channelSwitches: createSwitches({
      store,
      clock,
      kind: 'channel-position',
      usual: 'running',
      known: Object.keys(channelPositions) as (keyof typeof channelPositions)[],
    }),
    destinationSwitches: createSwitches({
      store,
      clock,
      kind: 'destination-position',
      usual: 'open',
      known: ['open', 'held'],
    }),
    outbox,
    messages: store.messages,
    makeSource: sourceMaker({ ...channelParts, inbox, timers: timerMemory(store.jobs, store.messages) }),
    makeSender: senderMaker(channelParts),
    charset: config.mllpCharset,
    logger,
    wake: () => processor.wake(),
  });
  await runner.load();
  const { settingsOf } = runner;
  const processor = createProcessor({
    tracer,
    repository,
    messages: store.messages,
    formats,
    settingsOf,
    held: () => runner.held(),
    mapper,
    clock,
    ids,
    logger,
  });

  // Events to flows, and what flows do.
  const compose = composer({ mapper, formats });
  const flowPort = createFlowPort({
    repository,
    compose,
    store,
    index,
    clock,
    ids,
    logger,
    tracer,
    wakeOutbox: () => outbox.wake(),
  });
  repository.onCommitted(() => outbox.wake());
  processor.onProcessed(flowPort.onProcessed);
  const flows = createFlowsSupervisor({
    port: flowPort,
    userDir: join(config.data, 'flows'),
    logger: logger.child({ part: 'flows' }),
    clock,
    ids,
    publicPath: '/flows',
    credentialSecret: keys.flows,
    environment: { TZ: config.timeZone },
  });

  // What people do about messages.
  const wakeDeliveries = (): void => {
    outbox.wake();
    flowPort.wake();
  };
  const deadLetters = createDeadLetters({
    repository,
    formats,
    settingsOf,
    clock,
    ids,
    wake: () => processor.wake(),
    wakeDeliveries,
  });
  const resend = createResend({ repository, formats, settingsOf, clock, ids });
  const replays = createReplays({
    ...{ messages: store.messages, jobs: store.jobs, deadLetters, resend },
    ...{ clock, ids, logger },
  });
  const { alerts, live } = createWatching({
    ...{ config, store, book, outbox, clock, ids, logger },
    concerns: () => [...certificates.concerns(), ...runner.concerns()],
  });
  const jobs = createScheduler({ jobs: store.jobs, clock, ids, logger });
  const retention = createRetention({ store, settingsOf, clock, logger, messageDays: config.retentionDays });
  const indexingKept = createIndexingKept({ store, formats, settingsOf, logger });
  const sweeping = createSweeping(store.contents, logger);
  jobs.define(retention.name, () => retention.run());

  // HTTP.
  const auth = createAuth({
    ...(await administrator(credentials, ids)),
    signingKey: Buffer.from(keys.token, 'base64url'),
    clock,
    ids,
    publicUrl: () => publicUrl,
  });
  const http = createHttpServer({
    tracer,
    repository,
    index,
    reindexing,
    shapes,
    auth,
    clock,
    ids,
    logger,
    version,
    publicUrl: () => publicUrl,
    publicUrlIsFixed: config.publicUrl !== undefined,
    trustedProxies: config.trustProxy ?? [],
    bodyLimit: config.maxMessageBytes,
    contentLimit: config.maxBinaryBytes,
    resultsFolder: join(config.data, 'results'),
    ready: async () => ({ store: await answers(store.check()) }),
    beside: () => ({ flows: flows.ready() }),
    census: () => store.messages.census(),
    tallies: () => store.messages.tallies(),
    routes: [
      ...channelRoutes({ book, runner, messages: store.messages }),
      startPageRoute,
      ...messageRoutes({ messages: store.messages, inbox, formats, deadLetters }),
      ...replayRoutes({ replays, resend }),
      ...eventRoutes({ live, alerts }),
      ...deliveryRoutes({ messages: store.messages, deadLetters }),
      ...mappingRoutes({ mapper, reload: () => mapper.reload(), formats, repository, clock }),
      ...renderRoutes({ mapper, compose, repository }),
    ],
  });
  http.mount({
    prefix: '/flows',
    access: 'admin',
    handle: (request, response) => flows.handle(request, response),
    upgrade: (request, socket, head) => flows.upgrade(request, socket, head),
  });
  return {
    start: async () => {
      await searchParameters.start();
      reindexing.start();
      await flowPort.start();
      await flows.start();
      if (!(await flowPort.known(flowsLimitMs))) {
        logger.error({}, 'the flows have not started: what comes in now makes no events for them');
      }
      const httpPort = (await http.listen(config.bind, config.httpPort)).port;
      publicUrl = config.publicUrl ?? `http://${config.bind}:${httpPort}`;
      processor.start();
      outbox.start();
      stopWatchingMaps = mapper.watch();
      await runner.start();
      alerts.start();
      await replays.start();
      certificates.start();
      await jobs.start();
      await jobs.every(retention.interval, retention.name);
      indexingKept.start();
      noteRunning(config, httpPort);
      sweeping.start();
      return {
        publicUrl,
        bind: config.bind,
        mllpPort: runner.status('hl7').port,
        data: config.data,
        credentials: credentials.file,
        version,
      };
    },
    renewCertificates: () => certificates.look(),
    stop: async () => {
      certificates.stop();
      noteStopped(config.data);
      await sweeping.stop();
      reindexing.stop();
      await indexingKept.stop();
      stopWatchingMaps();
      live.stop();
      await runner.stop();
      await http.close();
      await replays.stop();
      await alerts.stop();
      await inbox.stop();
      await flows.stop();
      await processor.stop();
      await outbox.stop();
      flowPort.stop();
      await jobs.stop();
      await store.close();
      await tracing?.stop();
    },
  };
}

const answers = (check: Promise<void>): Promise<boolean> =>
  check.then(
    () => true,
    () => false,
  );
