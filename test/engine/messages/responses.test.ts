// What receivers answer, taken in as messages: with the end of the delivery or not at all, once, and never at the delivery's cost.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { compileChannel } from '../../../engine/messages/channels/compile-channel.ts';
import { fhirFormat } from '../../../engine/messages/fhir-format.ts';
import { createFormats } from '../../../engine/messages/formats.ts';
import { hl7Format } from '../../../adapters/hl7/format.ts';
import { lineageOf } from '../../../engine/messages/lineage.ts';
import { createOutbox, type Outbox } from '../../../engine/messages/outbox.ts';
import type { SendResult } from '../../../engine/messages/ports.ts';
import { createResponses } from '../../../engine/messages/responses.ts';
import type { Delivery, MessageRecord } from '../../../engine/storage/message-store.ts';
import { arrivalOf, hl7, openHouse, until, type House } from './house.ts';

const formats = createFormats([hl7Format, fhirFormat]);
const hl7Response = (bytes: Buffer) => ({ contentType: 'application/hl7-v2', bytes });
const fhirResponse = (resource: object) => ({
  contentType: 'application/fhir+json; charset=utf-8',
  bytes: Buffer.from(JSON.stringify(resource)),
});
const transaction = {
  resourceType: 'Bundle',
  type: 'transaction',
  entry: [{ resource: { resourceType: 'Patient', id: 'p9' }, request: { method: 'PUT', url: 'Patient/p9' } }],
};

let house: House;
let outbox: Outbox;
let held: readonly string[];
let woken: number;
beforeEach(async () => {
  house = await openHouse();
  held = [];
  woken = 0;
});
afterEach(async () => {
  await outbox.stop();
  await house.close();
});

const settingsOf = (name: string) =>
  compileChannel({ name, source: { kind: 'http' }, ...(name === 'raw' ? { map: 'none' } : {}) });

/** One delivery that the receiver answers so; resolves when it has ended. */
async function answered(
  result: SendResult,
  rules: { responseTo?: string } = { responseTo: 'answers' },
): Promise<Delivery> {
  const responses = createResponses({
    ...house,
    formats,
    settingsOf,
    held: () => held,
    listeners: () => [],
    wake: () => (woken += 1),
  });
  outbox = createOutbox({ ...house, pollMs: 5, responses });
  outbox.register('lis', { send: async () => result, close: async () => undefined }, rules);
  const name = 'send:lis';
  const delivery = { id: 'd-1', destination: name, lane: name, createdAt: house.clock.now(), cause: 'm-1' };
  const payload = Buffer.from('MSH|');
  await house.store.transact(({ messages }) =>
    messages.enqueue({ ...delivery, contentType: 'application/hl7-v2', payload }),
  );
  outbox.start();
  const ended = async (): Promise<Delivery> => (await house.store.messages.delivery('d-1'))!;
  await until(async () => ['done', 'dead'].includes((await ended()).state));
  return ended();
}
const only = async (): Promise<MessageRecord> => {
  const all = await house.messages();
  expect(all).toHaveLength(1);
  return all[0]!;
};

test('an HL7 response is kept and mapped in the commit that ends the delivery, and the lineage tells it', async () => {
  const commits = new Set<string>();
  house.repository.onChange(async (_change, unit) => {
    commits.add((await unit.messages.delivery('d-1'))!.state);
  });
  const delivery = await answered({ state: 'done', code: 'AA', response: hl7Response(hl7()) });
  expect(delivery).toMatchObject({ state: 'done', reason: undefined });
  const message = await only();
  expect(message).toMatchObject({
    channel: 'answers',
    peer: 'delivery:d-1',
    state: 'processed',
    acknowledgement: 'not-owed',
    effects: ['Patient/pat-1/_history/1', 'Observation/obs-S1/_history/1'],
  });
  expect([...commits]).toEqual(['done']);
  const { edges } = await lineageOf('d-1', house.store.messages);
  expect(edges).toContainEqual({ from: 'd-1', to: message.id, how: 'answered' });
  expect(await lineageOf(message.id, house.store.messages)).toMatchObject({ edges });
});

test.each<[string, SendResult, Partial<MessageRecord>]>([
  [
    'a transaction in FHIR is carried out',
    { state: 'done', code: '200', response: fhirResponse(transaction) },
    { state: 'processed', effects: ['Patient/p9/_history/1'] },
  ],
  [
    'any other resource is kept, not stored',
    { state: 'done', code: '201', response: fhirResponse({ resourceType: 'Patient', id: 'theirs' }) },
    { state: 'set-aside', reason: expect.objectContaining({ code: 'fhir-no-transaction' }) as never },
  ],
  [
    'a transaction that its server calls JSON is carried out too',
    {
      state: 'done',
      code: '200',
      response: { ...fhirResponse(transaction), contentType: 'application/json' },
    },
    { state: 'processed', effects: ['Patient/p9/_history/1'] },
  ],
  [
    'JSON that is no FHIR waits for a person',
    {
      state: 'done',
      code: '200',
      response: { contentType: 'application/json', bytes: Buffer.from('{"ok":true}') },
    },
    { state: 'dead', reason: expect.objectContaining({ code: 'fhir-unreadable' }) as never },
  ],
  [
    'what is no FHIR waits for a person',
    {
      state: 'done',
      code: '200',
      response: { contentType: 'application/fhir+json', bytes: Buffer.from('<html>') },
    },
    { state: 'dead', reason: expect.objectContaining({ code: 'fhir-unreadable' }) as never },
  ],
  [
    'what the map cannot use waits for a person',
    { state: 'done', code: 'AA', response: hl7Response(hl7({ value: 'BAD' })) },
    { state: 'dead' },
  ],
])('%s; the delivery is done', async (_rule, result, expected) => {
  expect(await answered(result)).toMatchObject({ state: 'done', reason: undefined });
  expect(await only()).toMatchObject(expected);
});

test('where a map meets a passing trouble the response is kept by itself, and tried as any message is', async () => {
  house.trouble.busy = true;
  await answered({ state: 'done', code: 'AA', response: hl7Response(hl7({ value: 'BUSY' })) });
  expect(await only()).toMatchObject({ state: 'received', effects: [] });
  await until(() => woken > 0);
  house.trouble.busy = false;
  const processor = house.processor({ formats, settingsOf });
  processor.start();
  await until(async () => (await only()).state === 'processed');
  await processor.stop();
});

test('a refusal is taken in too; what came in between tries is not', async () => {
  const refused: SendResult = {
    state: 'failed',
    retry: 'permanent',
    reason: { code: 'hl7-answer-ar', text: 'no' },
    code: 'AR',
    response: hl7Response(hl7()),
  };
  expect(await answered(refused, { responseTo: 'raw' })).toMatchObject({
    state: 'dead',
    reason: { code: 'hl7-answer-ar' },
  });
  expect(await only()).toMatchObject({ channel: 'raw', state: 'processed', effects: [] });
});

test('in a channel that is paused, or where others wait, it takes its turn', async () => {
  held = ['answers'];
  await answered({ state: 'done', code: 'AA', response: hl7Response(hl7()) });
  expect(await only()).toMatchObject({ state: 'received' });
});

test('behind a message that waits it waits', async () => {
  await house.inbox().receive(arrivalOf(hl7({ controlId: 'first' }), 'answers'));
  await answered({ state: 'done', code: 'AA', response: hl7Response(hl7()) });
  expect(Object.values(await house.states())).toEqual(['received', 'received']);
});

test.each<[string, SendResult]>([
  ['is cut off', { state: 'done', code: 'AA', response: { ...hl7Response(hl7()), isCut: true } }],
  [
    'is of a kind that nothing reads',
    { state: 'done', code: '200', response: { contentType: 'text/html', bytes: Buffer.from('ok') } },
  ],
])('one that %s is not taken in, and the delivery says so', async (_what, result) => {
  expect(await answered(result)).toMatchObject({ state: 'done', reason: { code: 'response-not-taken' } });
  expect(await house.messages()).toEqual([]);
});

test.each<[string, SendResult, { responseTo?: string }]>([
  [
    'that answers another message',
    { state: 'done', response: hl7Response(hl7()) },
    { responseTo: 'answers' },
  ],
  [
    'that is empty',
    { state: 'done', code: '204', response: { contentType: 'text/plain', bytes: Buffer.alloc(0) } },
    { responseTo: 'answers' },
  ],
  ['that nobody asked for', { state: 'done', code: 'AA', response: hl7Response(hl7()) }, {}],
])('one %s is only kept with its delivery', async (_what, result, rules) => {
  expect(await answered(result, rules)).toMatchObject({ state: 'done', reason: undefined });
  expect(await house.messages()).toEqual([]);
});
