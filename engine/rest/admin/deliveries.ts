// The admin API over deliveries (events for flows, messages to send): list, read, requeue, discard.
import type { HttpAnswer, HttpRequest, HttpRoute } from '../../kernel/http-route.ts';
import { notFound } from '../../kernel/outcomes.ts';
import type { DeadLetters } from '../../messages/dead-letters.ts';
import { lineageOf } from '../../messages/lineage.ts';
import type { Delivery, DeliveryState, MessageReader } from '../../storage/message-store.ts';
import { readDiscard } from './body.ts';
import { admitNames, pageParameters, readPage, readState, readText } from './query.ts';
import { viewDelivery } from './views.ts';

export interface DeliveryRoutesOptions {
  /** What is committed: the store's. */
  readonly messages: MessageReader;
  readonly deadLetters: DeadLetters;
}

export function deliveryRoutes({ messages, deadLetters }: DeliveryRoutesOptions): readonly HttpRoute[] {
  const route = (method: 'GET' | 'POST', path: string, handle: HttpRoute['handle']): HttpRoute => ({
    method,
    path: `/admin/deliveries${path}`,
    access: 'admin',
    handle,
  });
  return [
    route('GET', '', (request) => list(request, messages)),
    route('GET', '/:id', async (request) => ({
      status: 200,
      body: viewDelivery(await deliveryOf(request, messages)),
    })),
    route('GET', '/:id/payload', async (request) => {
      const { contentType, payload } = await deliveryOf(request, messages);
      return { status: 200, headers: { 'content-type': contentType }, body: payload };
    }),
    route('GET', '/:id/lineage', async ({ params: { id = '' } }) => ({
      status: 200,
      body: await lineageOf(id, messages),
    })),
    route('GET', '/:id/response', async (request) => {
      const { id, response } = await deliveryOf(request, messages);
      if (response === undefined) throw notFound('response to delivery', id);
      return { status: 200, headers: { 'content-type': response.contentType }, body: response.bytes };
    }),
    route('POST', '/:id/park', async ({ params: { id = '' }, actor }) => ({
      status: 200,
      body: viewDelivery(await deadLetters.parkDelivery(id, actor)),
    })),
    route('POST', '/:id/requeue', async ({ params: { id = '' }, actor }) => ({
      status: 202,
      body: viewDelivery(await deadLetters.requeueDelivery(id, actor)),
    })),
    route('POST', '/:id/discard', async (request) => {
      const { reason } = readDiscard(request);
      const discarded = await deadLetters.discardDelivery(request.params['id'] ?? '', reason, request.actor);
      return { status: 200, body: viewDelivery(discarded) };
    }),
  ];
}

const states: readonly DeliveryState[] = ['waiting', 'leased', 'done', 'dead', 'discarded'];

async function list({ query }: HttpRequest, messages: MessageReader): Promise<HttpAnswer> {
  admitNames(query, ['destination', 'state', 'cause', ...pageParameters]);
  const { total, items } = await messages.deliveries({
    ...readText(query, 'destination', 'destination'),
    ...readText(query, 'cause', 'cause'),
    ...readState(query, states),
    ...readPage(query),
  });
  return { status: 200, body: { total, items: items.map(viewDelivery) } };
}

async function deliveryOf({ params: { id = '' } }: HttpRequest, messages: MessageReader): Promise<Delivery> {
  const delivery = await messages.delivery(id);
  if (delivery === undefined) throw notFound('delivery', id);
  return delivery;
}
