// The admin API over replays: begin one over what a search finds, watch it, end it; and hand one message to chosen destinations again.
import { formatInstant } from '../../fhir/instants.ts';
import type { HttpRequest, HttpRoute } from '../../kernel/http-route.ts';
import { badRequest } from '../../kernel/outcomes.ts';
import type { ReplayJob } from '../../messages/kept-replays.ts';
import type { Replays } from '../../messages/replays.ts';
import type { Resend } from '../../messages/resend.ts';
import { messageFilterNames, readMessageFilter } from './message-filter.ts';
import { admitNames } from './query.ts';

export interface ReplayRoutesOptions {
  readonly replays: Replays;
  readonly resend: Resend;
}

export function replayRoutes({ replays, resend }: ReplayRoutesOptions): readonly HttpRoute[] {
  const route = (method: HttpRoute['method'], path: string, handle: HttpRoute['handle']): HttpRoute => ({
    method,
    path: `/admin/${path}`,
    access: 'admin',
    handle,
  });
  return [
    route('POST', 'messages/$replay', async (request) => {
      const job = await replays.begin(readReplay(request), request.actor);
      return { status: 202, headers: { location: `/admin/replays/${job.id}` }, body: viewJob(job) };
    }),
    route('POST', 'messages/:id/send', async ({ params: { id = '' }, query, actor }) => {
      admitNames(query, ['destination']);
      const destinations = readDestinations(query);
      if (destinations.length === 0) throw badRequest('destination names where to', 'destination');
      const deliveries = await resend(id, destinations, actor);
      return {
        status: 202,
        body: { total: deliveries.length, items: deliveries.map((one) => ({ id: one })) },
      };
    }),
    route('GET', 'replays', async ({ query }) => {
      admitNames(query, []);
      const items = replays.jobs().map(viewJob);
      return { status: 200, body: { total: items.length, items } };
    }),
    route('GET', 'replays/:id', async ({ params: { id = '' } }) => ({
      status: 200,
      body: viewJob(replays.job(id)),
    })),
    route('POST', 'replays/:id/cancel', async ({ params: { id = '' } }) => ({
      status: 202,
      body: viewJob(replays.cancel(id)),
    })),
  ];
}

const usualPerSecond = 50;
const greatestPerSecond = 10_000;

/** Without any filter it would be everything that there is: that is asked for in words (`state=…`, `from=…`). */
function readReplay({ query }: HttpRequest): Parameters<Replays['begin']>[0] {
  admitNames(query, [...messageFilterNames, 'destination', 'perSecond']);
  const filter = readMessageFilter(query);
  if (Object.keys(filter).length === 0) throw badRequest('say which messages: state, channel, from, to …');
  const text = query.get('perSecond') ?? String(usualPerSecond);
  if (!/^\d{1,5}$/.test(text) || Number(text) < 1 || Number(text) > greatestPerSecond) {
    throw badRequest(`perSecond is a whole number from 1 to ${greatestPerSecond}`, 'perSecond');
  }
  return { filter, perSecond: Number(text), destinations: readDestinations(query) };
}

/** Names with commas between them. */
const readDestinations = (query: URLSearchParams): readonly string[] =>
  (query.get('destination') ?? '').split(',').filter((name) => name !== '');

const viewJob = ({ startedAt, endedAt, ...job }: ReplayJob): object => ({
  ...job,
  startedAt: formatInstant(startedAt),
  ...(endedAt === undefined ? {} : { endedAt: formatInstant(endedAt) }),
});
