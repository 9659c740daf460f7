// A stored resource becomes a message: for an administrator who looks, and in the commit of a flow that sends it.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { FhirResource } from '../../../../engine/fhir/resource.ts';
import { composer } from '../../../../engine/messages/compose.ts';
import { renderRoutes } from '../../../../engine/rest/admin/render.ts';
import type { FlowEffect } from '../../../../engine/subscriptions/flow-port.ts';
import { createFlowPort, type EngineFlowPort } from '../../../../engine/subscriptions/flow-subscriptions.ts';
import { shippedMapper } from '../../../support/maps.ts';
import { outboundCase } from '../../../support/outbound.ts';
import { administrator, openHouse, type House } from '../../messages/house.ts';
import { wholeDeliveries } from '../../../support/deliveries.ts';

const mapper = await shippedMapper();
let house: House;
let flows: EngineFlowPort;
let wakes: number;

const store = (resource: FhirResource) => house.repository.as(administrator).update(resource);

beforeEach(async () => {
  house = await openHouse(undefined, false);
  wakes = 0;
  const compose = composer({ mapper, formats: house.formats });
  flows = createFlowPort({ ...house, compose, wakeOutbox: () => (wakes += 1), pollMs: 60_000 });
  await flows.start();
  const { known, previous, resource } = outboundCase('adt-a03-discharge');
  await flows.subscribe([{ kind: 'resource', name: 'visits', criteria: 'Encounter?status=finished' }]);
  for (const one of [...known, previous!, resource]) await store(one);
});
afterEach(async () => {
  flows.stop();
  await house.close();
});

async function asked(query: string, body: unknown): Promise<unknown> {
  const compose = composer({ mapper, formats: house.formats });
  const [route] = renderRoutes({ mapper, compose, repository: house.repository });
  const answer = await route!.handle({
    actor: administrator,
    params: {},
    query: new URLSearchParams(query),
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(body)),
    correlationId: 'c',
  });
  return answer.body;
}

test('an administrator sees the message and which element made which field', async () => {
  const receiver = { application: 'RIS', facility: 'WEST' };
  const made = await asked('map=ADT-Encounter', { resource: 'Encounter/e1', previous: '1', receiver });
  expect(made).toMatchObject({
    type: 'ADT^A03',
    contentType: 'application/hl7-v2',
    text: expect.stringMatching(/^MSH\|\^~\\&\|KIUNGO\|\|RIS\|WEST\|[^]*\rPV1\|1\|I\|W3\^2\^B\|/),
  });
  expect((made as { trace: unknown }).trace).toContainEqual({
    from: 'family',
    to: 'PID-5.1',
    rule: expect.stringMatching(/^mappings\/hl7v2\/outbound\/datatypes\/XPN\.yaml:\d+$/),
  });
  expect(await house.store.messages.deliveries({ limit: 9, offset: 0 })).toMatchObject({ total: 1 });
});

test.each<[string, string, unknown, string]>([
  ['no map is named', '', { resource: 'Encounter/e1' }, 'bad-request'],
  ['the map is not there', 'map=ADT-Z', { resource: 'Encounter/e1' }, 'not-found'],
  ['the resource is not there', 'map=ADT-Encounter', { resource: 'Encounter/e9' }, 'not-found'],
  ['it names no resource', 'map=ADT-Encounter', { resource: 'https://elsewhere/Encounter/1' }, 'bad-request'],
  ['it is of another type', 'map=SIU', { resource: 'Encounter/e1' }, 'unprocessable'],
  ['the body says more', 'map=SIU', { resource: 'Encounter/e1', secret: 1 }, 'bad-request'],
])('refused: %s', async (_rule, query, body, code) => {
  await expect(asked(query, body)).rejects.toMatchObject({ code });
});

const discharge: FlowEffect = {
  kind: 'send-message',
  destination: 'ris',
  map: 'ADT-Encounter',
  reference: 'Encounter/e1/_history/2',
};

test('a flow’s message is made and waits for its receiver in the commit that ends the event', async () => {
  const [event] = await flows.lease(1);
  await flows.complete(event!.id, event!.lease, [discharge]);
  const sent = (await wholeDeliveries(house.store.messages)).find(
    ({ destination }) => destination === 'send:ris',
  );
  expect(sent).toMatchObject({ contentType: 'application/hl7-v2', state: 'waiting', cause: event!.id });
  expect(Buffer.from(sent!.payload).toString()).toContain('|ADT^A03^ADT_A03|');
  expect(wakes).toBe(1);
});

test('a flow’s message names its receiver', async () => {
  const [event] = await flows.lease(1);
  const receiver = { application: 'RIS', facility: 'WEST' };
  await flows.complete(event!.id, event!.lease, [{ ...discharge, receiver }]);
  const sent = (await wholeDeliveries(house.store.messages)).find(
    ({ destination }) => destination === 'send:ris',
  );
  expect(Buffer.from(sent!.payload).toString()).toContain('|KIUNGO||RIS|WEST|');
});

test.each<[string, object, string]>([
  ['a receiver that is no name', { receiver: { application: 'a\rb' } }, 'bad-request'],
  ['a receiver with more', { receiver: { application: 'RIS', port: '1' } }, 'bad-request'],
  ['a step that the map does not tell', { map: 'SIU' }, 'unprocessable'],
  ['a map that is not there', { map: 'NONE' }, 'not-found'],
  ['no reference', { reference: 'https://elsewhere/1' }, 'bad-request'],
])('%s leaves the event open, and sends nothing', async (_rule, change, code) => {
  const [event] = await flows.lease(1);
  const ended = flows.complete(event!.id, event!.lease, [{ ...discharge, ...change }]);
  await expect(ended).rejects.toMatchObject({ code });
  const { items } = await house.store.messages.deliveries({ limit: 9, offset: 0 });
  expect(items.map(({ destination }) => destination)).not.toContain('send:ris');
});
