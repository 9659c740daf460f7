// The admin API over kept messages: list, read, send in, replay, mend, discard.
import { formatInstant } from '../../fhir/instants.ts';
import type { HttpAnswer, HttpRequest, HttpRoute } from '../../kernel/http-route.ts';
import { badRequest, notFound } from '../../kernel/outcomes.ts';
import type { DeadLetters } from '../../messages/dead-letters.ts';
import type { Formats } from '../../messages/formats.ts';
import { lineageOf } from '../../messages/lineage.ts';
import type { Inbox, Receipt } from '../../messages/ports.ts';
import type { ListedDelivery, MessageFilter, MessageReader } from '../../storage/message-store.ts';
import { readDiscard } from './body.ts';
import { messageFilterNames, readMessageFilter } from './message-filter.ts';
import { admitNames, pageParameters, readPage, readText } from './query.ts';
import { viewDelivery, viewMessage } from './views.ts';

export interface MessageRoutesOptions {
  /** What is committed: the store's. */
  readonly messages: MessageReader;
  readonly inbox: Inbox & { settled(): Promise<void> };
  readonly formats: Formats;
  readonly deadLetters: DeadLetters;
}

export function messageRoutes(options: MessageRoutesOptions): readonly HttpRoute[] {
  const { messages, inbox, deadLetters } = options;
  const route = (method: 'GET' | 'POST', path: string, handle: HttpRoute['handle']): HttpRoute => ({
    method,
    path: `/admin/messages${path}`,
    access: 'admin',
    // Who was told that a message is kept finds it.
    handle: async (request) => {
      await inbox.settled();
      return handle(request);
    },
  });
  return [
    route('GET', '', (request) => list(request, messages)),
    route('GET', '/:id', (request) => read(request, messages)),
    route('GET', '/:id/raw', (request) => readRaw(request, messages)),
    route('GET', '/:id/parsed', (request) => readParsed(request, options)),
    route('GET', '/:id/mapped', (request) => readMapped(request, messages)),
    route('GET', '/:id/answer', (request) => readAnswer(request, messages)),
    route('GET', '/:id/lineage', async ({ params: { id = '' } }) => ({
      status: 200,
      body: await lineageOf(id, messages),
    })),
    route('POST', '', (request) => sendIn(request, inbox)),
    route('POST', '/:id/replay', async ({ params: { id = '' }, actor }) => ({
      status: 202,
      body: viewMessage(await deadLetters.replay(id, actor)),
    })),
    route('POST', '/:id/park', async ({ params: { id = '' }, actor }) => ({
      status: 200,
      body: viewMessage(await deadLetters.park(id, actor)),
    })),
    route('POST', '/:id/mend', async ({ params: { id = '' }, actor, body }) => {
      if (body.byteLength === 0) throw badRequest('the body is the mended message');
      const mended = await deadLetters.mend(id, body, actor);
      return { status: 202, headers: locationOf(mended.id), body: viewMessage(mended) };
    }),
    route('POST', '/:id/discard', async (request) => {
      const { reason } = readDiscard(request);
      const discarded = await deadLetters.discard(request.params['id'] ?? '', reason, request.actor);
      return { status: 200, body: viewMessage(discarded) };
    }),
  ];
}

async function list({ query }: HttpRequest, messages: MessageReader): Promise<HttpAnswer> {
  admitNames(query, [...messageFilterNames, ...pageParameters, '_continue']);
  const filter: MessageFilter = {
    ...readMessageFilter(query),
    ...readPage(query),
    ...readText(query, '_continue', 'continue'),
  };
  if (filter.continue !== undefined && filter.offset > 0) {
    throw badRequest('_continue stands without _offset', '_offset');
  }
  const { items, searchedUntil, ...counted } = await messages.messages(filter);
  const until = searchedUntil === undefined ? {} : { searchedUntil: formatInstant(searchedUntil) };
  return { status: 200, body: { ...counted, ...until, items: items.map(viewMessage) } };
}

async function read({ params: { id = '' } }: HttpRequest, messages: MessageReader): Promise<HttpAnswer> {
  const message = await messages.message(id);
  if (message === undefined) throw notFound('message', id);
  const deliveries = await causedBy([id, ...message.effects], messages);
  return { status: 200, body: { ...viewMessage(message), deliveries: deliveries.map(viewDelivery) } };
}

const mostDeliveries = 200;
const mostCauses = 500;

/** What a message led to: events for flows, and what the flows then sent. Bounded, oldest first of each cause. */
async function causedBy(
  causes: readonly string[],
  messages: MessageReader,
): Promise<readonly ListedDelivery[]> {
  const found: ListedDelivery[] = [];
  const open = [...causes];
  for (let at = 0; at < open.length && at < mostCauses && found.length < mostDeliveries; at += 1) {
    const cause = open[at] ?? '';
    const { items } = await messages.deliveries({ cause, limit: mostDeliveries - found.length, offset: 0 });
    found.push(...items);
    open.push(...items.map((delivery) => delivery.id));
  }
  return found;
}

async function readRaw({ params: { id = '' } }: HttpRequest, messages: MessageReader): Promise<HttpAnswer> {
  const message = await messages.message(id);
  const raw = await messages.raw(id);
  if (message === undefined || raw === undefined) throw notFound('message', id);
  return { status: 200, headers: { 'content-type': message.format }, body: raw };
}

/** Segment by segment, as the engine reads it. */
async function readParsed(
  { params: { id = '' } }: HttpRequest,
  { messages, formats }: MessageRoutesOptions,
): Promise<HttpAnswer> {
  const message = await messages.message(id);
  const raw = await messages.raw(id);
  if (message === undefined || raw === undefined) throw notFound('message', id);
  const { message: wire, issues } = formats.of(message.format).parse(raw);
  const segments = (wire?.segments ?? []).map((segment) => ({
    name: segment.name,
    fields: Array.from({ length: segment.fields }, (_, field) => segment.source(field + 1)),
  }));
  return { status: 200, body: { type: wire?.type ?? null, segments, issues } };
}

async function readMapped(
  { params: { id = '' } }: HttpRequest,
  messages: MessageReader,
): Promise<HttpAnswer> {
  const mapped = await messages.mapped(id);
  if (mapped === undefined) throw notFound('what was mapped of message', id);
  return { status: 200, headers: { 'content-type': 'application/fhir+json' }, body: mapped };
}

async function readAnswer(
  { params: { id = '' } }: HttpRequest,
  messages: MessageReader,
): Promise<HttpAnswer> {
  const message = await messages.message(id);
  if (message?.answer === undefined) throw notFound('answer to message', id);
  return { status: 200, headers: { 'content-type': message.format }, body: message.answer };
}

const channelName = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;

/** The same way in as the wire's; the acknowledgements come back one after the other, as they would on the wire. */
async function sendIn(request: HttpRequest, inbox: Inbox): Promise<HttpAnswer> {
  admitNames(request.query, ['channel']);
  const channel = request.query.get('channel') ?? 'http';
  if (!channelName.test(channel)) {
    throw badRequest('a channel is named with letters, digits and . _ : -', 'channel');
  }
  if (request.body.byteLength === 0) throw badRequest('the body is the message');
  const mediaType = request.headers['content-type'] ?? '';
  const peer = `admin:${request.actor.id}`;
  const receipt = await inbox.receive({ channel, peer, mediaType, raw: request.body });
  receipt.answered('sent');
  const contentType = mediaType.split(';', 1)[0] ?? '';
  const headers = { 'content-type': contentType, location: placeOf(receipt) };
  return { status: 202, headers, body: Buffer.concat(receipt.answers) };
}

const placeOf = ({ batchId, messageId }: Receipt): string =>
  batchId === undefined ? `/admin/messages/${messageId}` : `/admin/messages?batch=${batchId}`;

const locationOf = (id: string): { readonly location: string } => ({ location: `/admin/messages/${id}` });
