// The admin API over channels and destinations: list, make, change, compare, roll back, carry elsewhere; start, pause, drain, stop.
import { formatInstant } from '../../fhir/instants.ts';
import type { HttpAnswer, HttpRequest, HttpRoute } from '../../kernel/http-route.ts';
import { badRequest, notFound } from '../../kernel/outcomes.ts';
import type { Change, Channel, ChannelBook, ChannelVersion } from '../../messages/channels/channel-book.ts';
import type { ChannelPosition, ChannelRunner } from '../../messages/channels/channel-runner.ts';
import { waitingOf } from '../../messages/standing-alerts.ts';
import type { MessageReader, Tallies } from '../../storage/message-store.ts';
import { admitNames } from './query.ts';

export interface ChannelRoutesOptions {
  readonly book: ChannelBook;
  readonly runner: ChannelRunner;
  readonly messages: Pick<MessageReader, 'tallies'>;
}

/** What is said to a channel, and the position that it then has. */
const commands: Readonly<Record<string, ChannelPosition>> = {
  start: 'running',
  pause: 'paused',
  drain: 'draining',
  stop: 'stopped',
};

export function channelRoutes(options: ChannelRoutesOptions): readonly HttpRoute[] {
  const { book, runner } = options;
  const route = (method: HttpRoute['method'], path: string, handle: HttpRoute['handle']): HttpRoute => ({
    method,
    path: `/admin/${path}`,
    access: 'admin',
    handle,
  });
  const shown = async (channel: Channel): Promise<object> =>
    viewChannel(channel, runner, await options.messages.tallies());
  const answer = async (channel: Channel, status = 200): Promise<HttpAnswer> => ({
    status,
    headers: { ...etagOf(channel), location: `/admin/channels/${channel.definition.name}` },
    body: await shown(channel),
  });
  const commandRoutes = Object.entries(commands).map(([command, position]) =>
    route('POST', `channels/:name/${command}`, async (request) => {
      await runner.put(nameIn(request), position, request.actor);
      return answer(book.channel(nameIn(request)));
    }),
  );
  return [
    route('GET', 'channels', async ({ query }) => {
      admitNames(query, []);
      const tallies = await options.messages.tallies();
      const gone = book.gone().filter((channel) => isWaiting(channel, tallies));
      const items = [...book.all(), ...gone]
        .sort(byName)
        .map((channel) => viewChannel(channel, runner, tallies));
      return { status: 200, body: { total: items.length, items } };
    }),
    route('POST', 'channels', async (request) =>
      answer(await book.create(bodyOf(request), changeOf(request)), 201),
    ),
    route('GET', 'channels/$export', async ({ query }) => {
      admitNames(query, []);
      return { status: 200, body: { channels: book.all().map(({ definition }) => definition) } };
    }),
    route('POST', 'channels/$import', async (request) => {
      const taken = await book.takeIn(channelsIn(request), changeOf(request));
      return { status: 200, body: { total: taken.length, items: await Promise.all(taken.map(shown)) } };
    }),
    route('GET', 'channels/:name', (request) => answer(book.channel(nameIn(request)))),
    route('PUT', 'channels/:name', async (request) =>
      answer(await book.change(nameIn(request), bodyOf(request), changeOf(request))),
    ),
    route('DELETE', 'channels/:name', async (request) => {
      await book.remove(nameIn(request), changeOf(request));
      return { status: 204 };
    }),
    route('GET', 'channels/:name/history', async (request) => {
      admitNames(request.query, []);
      const items = (await book.history(nameIn(request))).map(viewVersion);
      return { status: 200, body: { total: items.length, items } };
    }),
    route('GET', 'channels/:name/diff', async (request) => {
      admitNames(request.query, ['from', 'to']);
      const from = versionIn(request, 'from');
      if (from === undefined) throw badRequest('from is the number of a version', 'from');
      const items = await book.compare(nameIn(request), from, versionIn(request, 'to'));
      return { status: 200, body: { total: items.length, items: items.map(viewDifference) } };
    }),
    route('POST', 'channels/:name/rollback', async (request) => {
      admitNames(request.query, ['version', 'comment']);
      const version = versionIn(request, 'version');
      if (version === undefined) {
        throw badRequest('version is the number of the version to go back to', 'version');
      }
      return answer(await book.rollBack(nameIn(request), version, changeOf(request)));
    }),
    ...commandRoutes,
    ...destinationRoutes(route, options),
  ];
}

type MakeRoute = (method: HttpRoute['method'], path: string, handle: HttpRoute['handle']) => HttpRoute;

function destinationRoutes(
  route: MakeRoute,
  { runner, messages }: ChannelRoutesOptions,
): readonly HttpRoute[] {
  const view = async (name: string): Promise<object> => {
    const known = runner.destinations();
    const state = Object.hasOwn(known, name) ? known[name] : undefined;
    if (state === undefined) throw notFound('destination', name);
    const tally = (await messages.tallies()).destinations[`send:${name}`];
    const { failingSince, answeredAt, ...rest } = state;
    return {
      ...{ name, ...rest },
      ...viewTime('failingSince', failingSince),
      ...viewTime('answeredAt', answeredAt),
      ...viewOldest(tally?.oldestWaitingAt),
      deliveries: tally?.deliveries ?? {},
    };
  };
  const put = (command: string, position: 'held' | 'open'): HttpRoute =>
    route('POST', `destinations/:name/${command}`, async (request) => {
      const name = nameIn(request);
      await view(name);
      await runner.putDestination(name, position, request.actor);
      return { status: 200, body: await view(name) };
    });
  return [
    route('GET', 'destinations', async ({ query }) => {
      admitNames(query, []);
      const items = await Promise.all(Object.keys(runner.destinations()).sort().map(view));
      return { status: 200, body: { total: items.length, items } };
    }),
    route('GET', 'destinations/:name', async (request) => ({
      status: 200,
      body: await view(nameIn(request)),
    })),
    put('hold', 'held'),
    put('release', 'open'),
  ];
}

const nameIn = ({ params: { name = '' } }: HttpRequest): string => name;

const longestComment = 500;

/** `?comment=`, and `If-Match: W/"3"` for the version that is meant to be changed. */
function changeOf({ actor, query, headers }: HttpRequest): Change {
  const comment = query.get('comment')?.slice(0, longestComment);
  const expected = /^(?:W\/)?"(\d{1,9})"$/.exec(headers['if-match'] ?? '')?.[1];
  if (headers['if-match'] !== undefined && expected === undefined) {
    throw badRequest('If-Match names a version as W/"3"', 'If-Match');
  }
  return {
    actor,
    ...(comment === undefined ? {} : { comment }),
    ...(expected === undefined ? {} : { expected: Number(expected) }),
  };
}

function bodyOf({ body }: HttpRequest): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    throw badRequest('the body is no JSON');
  }
}

const mostChannels = 500;

function channelsIn(request: HttpRequest): readonly unknown[] {
  const { channels } = (bodyOf(request) ?? {}) as { readonly channels?: unknown };
  if (!Array.isArray(channels) || channels.length > mostChannels) {
    throw badRequest(`the body is { "channels": [ … ] } with ${mostChannels} of them at most`);
  }
  return channels;
}

function versionIn({ query }: HttpRequest, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw badRequest(`${name} is the number of a version`, name);
  return Number(text);
}

function etagOf({ origin }: Channel): Readonly<Record<string, string>> {
  return origin.kind === 'stored' ? { etag: `W/"${origin.version}"` } : {};
}

const byName = (one: Channel, other: Channel): number =>
  one.definition.name < other.definition.name ? -1 : 1;

/** One that is gone is shown as long as somebody has to do something about it. */
function isWaiting(channel: Channel, tallies: Tallies): boolean {
  const { messages, deliveries } = waitingOf(channel, tallies);
  return messages + deliveries > 0;
}

function viewChannel({ definition, origin }: Channel, runner: ChannelRunner, tallies: Tallies): object {
  const tally = Object.hasOwn(tallies.channels, definition.name)
    ? tallies.channels[definition.name]
    : undefined;
  return {
    name: definition.name,
    definition,
    origin: origin.kind === 'stored' ? { ...origin, at: formatInstant(origin.at) } : origin,
    ...runner.status(definition.name),
    messages: tally?.messages ?? {},
    ...viewOldest(tally?.oldestReceivedAt),
    ...(tally?.newestAt === undefined ? {} : { newestAt: formatInstant(tally.newestAt) }),
  };
}

const viewTime = (name: string, at: number | undefined): object =>
  at === undefined ? {} : { [name]: formatInstant(at) };

const viewOldest = (at: number | undefined): object => viewTime('oldestWaitingAt', at);

const viewVersion = ({ at, definition, ...version }: ChannelVersion): object => ({
  ...version,
  at: formatInstant(at),
  definition: definition ?? null,
});

const viewDifference = ({ place, from, to }: { place: string; from: unknown; to: unknown }): object => ({
  place,
  from: from ?? null,
  to: to ?? null,
});
