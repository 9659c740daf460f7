// GET /metrics for Prometheus. Labels are interactions, states and statuses: never a url, which would name patients and have no end.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Clock } from '../kernel/clock.ts';
import type { HttpRoute } from '../kernel/http-route.ts';
import type { Census, Tallies } from '../storage/message-store.ts';
import type { CommitCounts } from '../storage/store.ts';

export interface Metrics {
  observe(name: string, status: number, durationMs: number): void;
  readonly route: HttpRoute;
}

export interface MetricsOptions {
  readonly clock: Clock;
  /** Counts of messages and deliveries by state, asked at each scrape. */
  readonly census: () => Promise<Census>;
  /** Of the store. */
  readonly commitCounts: () => CommitCounts;
  /** The same for each channel and destination. */
  readonly tallies?: () => Promise<Tallies>;
}

const bucketsSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const durations = new Histogram({
    name: 'kiungo_http_request_duration_seconds',
    help: 'Time from the request to its answer, by interaction',
    labelNames: ['interaction', 'status'],
    buckets: bucketsSeconds,
    registers: [registry],
  });
  countCommits(registry, options.commitCounts);
  const gauges = censusGauges(registry);
  return {
    observe: observer(durations),
    route: {
      method: 'GET',
      path: '/metrics',
      access: 'admin',
      handle: async () => {
        setCensus(gauges, await options.census(), options.clock.now());
        if (options.tallies !== undefined) setTallies(gauges, await options.tallies(), options.clock.now());
        return {
          status: 200,
          headers: { 'content-type': registry.contentType },
          body: await registry.metrics(),
        };
      },
    },
  };
}

/** Looking labels up costs more than counting: each pair is looked up once. */
function observer(durations: Histogram<'interaction' | 'status'>): Metrics['observe'] {
  const known = new Map<string, Map<number, Histogram.Internal<'interaction' | 'status'>>>();
  return (name, status, durationMs) => {
    const byStatus = known.get(name) ?? new Map<number, Histogram.Internal<'interaction' | 'status'>>();
    known.set(name, byStatus);
    const child = byStatus.get(status) ?? durations.labels(name, String(status));
    byStatus.set(status, child);
    child.observe(durationMs / 1000);
  };
}

/** Asked at each scrape: how well transactions share a commit says whether the disk is what limits. */
function countCommits(registry: Registry, counts: () => CommitCounts): void {
  const registers = [registry];
  new Counter({
    name: 'kiungo_store_commits_total',
    help: 'Commits of the store, an fsync each',
    registers,
    collect() {
      this.reset();
      this.inc(counts().commits);
    },
  });
  new Counter({
    name: 'kiungo_store_transactions_total',
    help: 'Transactions in these commits',
    registers,
    collect() {
      this.reset();
      this.inc(counts().transactions);
    },
  });
}

interface CensusGauges {
  readonly messages: Gauge<'state'>;
  readonly deliveries: Gauge<'state'>;
  readonly oldest: Gauge<'of'>;
  readonly byChannel: Gauge<'channel' | 'state'>;
  readonly oldestByChannel: Gauge<'channel'>;
  readonly byDestination: Gauge<'destination' | 'state'>;
  readonly oldestByDestination: Gauge<'destination'>;
}

function censusGauges(registry: Registry): CensusGauges {
  const registers = [registry];
  return {
    messages: new Gauge({
      name: 'kiungo_messages',
      help: 'Messages by state',
      labelNames: ['state'],
      registers,
    }),
    deliveries: new Gauge({
      name: 'kiungo_deliveries',
      help: 'Deliveries by state',
      labelNames: ['state'],
      registers,
    }),
    oldest: new Gauge({
      name: 'kiungo_oldest_waiting_seconds',
      help: 'Age of the oldest message that is not processed, and of the oldest delivery that waits',
      labelNames: ['of'],
      registers,
    }),
    byChannel: new Gauge({
      name: 'kiungo_channel_messages',
      help: 'Messages of each channel by state',
      labelNames: ['channel', 'state'],
      registers,
    }),
    oldestByChannel: new Gauge({
      name: 'kiungo_channel_oldest_waiting_seconds',
      help: 'Age of the oldest message of each channel that is not processed',
      labelNames: ['channel'],
      registers,
    }),
    byDestination: new Gauge({
      name: 'kiungo_destination_deliveries',
      help: 'Deliveries to each destination by state',
      labelNames: ['destination', 'state'],
      registers,
    }),
    oldestByDestination: new Gauge({
      name: 'kiungo_destination_oldest_waiting_seconds',
      help: 'Age of the oldest delivery to each destination that waits',
      labelNames: ['destination'],
      registers,
    }),
  };
}

function setCensus({ messages, deliveries, oldest }: CensusGauges, census: Census, now: number): void {
  for (const [state, count] of Object.entries(census.messages)) messages.set({ state }, count);
  for (const [state, count] of Object.entries(census.deliveries)) deliveries.set({ state }, count);
  oldest.set({ of: 'message' }, ageSeconds(census.oldestReceivedAt, now));
  oldest.set({ of: 'delivery' }, ageSeconds(census.oldestWaitingAt, now));
}

function setTallies(gauges: CensusGauges, { channels, destinations }: Tallies, now: number): void {
  for (const [channel, { messages, oldestReceivedAt }] of Object.entries(channels)) {
    for (const [state, count] of Object.entries(messages)) gauges.byChannel.set({ channel, state }, count);
    gauges.oldestByChannel.set({ channel }, ageSeconds(oldestReceivedAt, now));
  }
  for (const [destination, { deliveries, oldestWaitingAt }] of Object.entries(destinations)) {
    for (const [state, count] of Object.entries(deliveries)) {
      gauges.byDestination.set({ destination, state }, count);
    }
    gauges.oldestByDestination.set({ destination }, ageSeconds(oldestWaitingAt, now));
  }
}

const ageSeconds = (since: number | undefined, now: number): number =>
  since === undefined ? 0 : Math.max(0, now - since) / 1000;
