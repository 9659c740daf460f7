// The admin routes as a table: request → answer, and what it caused.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { HttpAnswer, HttpRoute } from '../../../engine/kernel/http-route.ts';
import { createDeadLetters } from '../../../engine/messages/dead-letters.ts';
import type { Processor } from '../../../engine/messages/processor.ts';
import { deliveryRoutes } from '../../../engine/rest/admin/deliveries.ts';
import { mappingRoutes } from '../../../engine/rest/admin/mappings.ts';
import { messageRoutes } from '../../../engine/rest/admin/messages.ts';
import { createFlowPort, type EngineFlowPort } from '../../../engine/subscriptions/flow-subscriptions.ts';
import { administrator, hl7, openHouse, until, type House } from '../messages/house.ts';

let house: House;
let processor: Processor;
let flows: EngineFlowPort;
let routes: readonly HttpRoute[];
beforeEach(async () => {
  house = await openHouse();
  flows = createFlowPort({ ...house, wakeOutbox: () => undefined });
  await flows.start();
  processor = house.processor();
  processor.onProcessed(flows.onProcessed);
  processor.start();
  const { messages } = house.store;
  const deadLetters = createDeadLetters({
    ...house,
    wake: () => processor.wake(),
    wakeDeliveries: flows.wake,
  });
  routes = [
    ...messageRoutes({ messages, inbox: house.inbox(), formats: house.formats, deadLetters }),
    ...deliveryRoutes({ messages, deadLetters }),
    ...mappingRoutes({ ...house, reload: () => Promise.resolve() }),
  ];
});
afterEach(async () => {
  await processor.stop();
  flows.stop();
  await house.close();
});

type Json = Record<string, unknown> & { items: Record<string, unknown>[]; total: number; id: string };

/** Sends a request to the route that its line names, as `engine/rest` would. */
async function call(
  line: string,
  body: string | Uint8Array = '',
  type = 'application/hl7-v2',
): Promise<HttpAnswer> {
  const [method = '', target = ''] = line.split(' ');
  const [path = '', query = ''] = target.split('?');
  for (const route of routes.filter((one) => one.method === method)) {
    const params = paramsOf(route.path, path);
    if (params === undefined) continue;
    expect(route.access).toBe('admin');
    const headers = { 'content-type': type };
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const request = { actor: administrator, params, query: new URLSearchParams(query), headers };
    return route.handle({ ...request, body: bytes, correlationId: 'c' });
  }
  throw new Error(`no route for ${line}`);
}

function paramsOf(pattern: string, path: string): Record<string, string> | undefined {
  const [wanted, given] = [pattern.split('/'), path.split('/')];
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, part] of wanted.entries()) {
    if (part.startsWith(':')) params[part.slice(1)] = given[at]!;
    else if (part !== given[at]) return undefined;
  }
  return params;
}

const json = async (line: string, body?: string | Uint8Array, type?: string): Promise<Json> =>
  JSON.parse(JSON.stringify((await call(line, body, type)).body)) as Json;

async function given(parts: Parameters<typeof hl7>[0], channel = 'lab'): Promise<string> {
  const answer = await call(`POST /admin/messages?channel=${channel}`, hl7(parts));
  const id = answer.headers!['location']!.split('/').at(-1)!;
  await until(async () => (await house.store.messages.message(id))?.state !== 'received');
  house.clock.advance(60_000);
  return id;
}

describe('POST /admin/messages', () => {
  test('takes a message as the wire does: 202 and its acknowledgements', async () => {
    const answer = await call('POST /admin/messages', hl7({ controlId: '5', wishes: ['AL', 'AL'] }));
    expect(answer.status).toBe(202);
    expect(answer.headers).toMatchObject({ 'content-type': 'application/hl7-v2' });
    const text = Buffer.from(answer.body as Uint8Array).toString();
    expect(text).toMatch(/MSA\|CA\|5[^]*MSA\|AA\|5/);
    const [message] = await house.messages();
    expect(message).toMatchObject({ channel: 'http', peer: 'admin:amina', controlId: '5' });
    expect(answer.headers!['location']).toBe(`/admin/messages/${message!.id}`);
  });

  test('the same message again is answered the same, and kept once', async () => {
    const answers = [await call('POST /admin/messages', hl7()), await call('POST /admin/messages', hl7())];
    expect(answers[1]).toEqual(answers[0]);
    expect(await house.messages()).toHaveLength(1);
  });

  test.each([
    ['another media type', '', hl7(), 'text/html', 'unsupported-media-type'],
    ['no body', '', '', 'application/hl7-v2', 'bad-request'],
    ['a malformed channel', '?channel=a/b', hl7(), 'application/hl7-v2', 'bad-request'],
    ['an unknown parameter', '?chanel=lab', hl7(), 'application/hl7-v2', 'unknown-parameter'],
  ])('%s is refused', async (_name, query, body, type, code) => {
    await expect(call(`POST /admin/messages${query}`, body, type)).rejects.toMatchObject({ code });
    expect(await house.messages()).toEqual([]);
  });
});

describe('GET /admin/messages', () => {
  // 12:00, 12:01, 12:02 on 2026-11-21.
  beforeEach(async () => {
    await given({ controlId: 'good' });
    await given({ controlId: 'bad', value: 'BAD', specimen: 'S2' }, 'lab-2');
    await given({ controlId: 'query', type: 'QBP^Q11' });
  });

  test.each([
    ['', ['query', 'bad', 'good']],
    ['?state=processed', ['good']],
    ['?state=dead', ['bad']],
    ['?state=set-aside', ['query']],
    ['?state=discarded', []],
    ['?controlId=bad', ['bad']],
    ['?channel=lab', ['query', 'good']],
    ['?channel=lab&state=dead', []],
    ['?type=QBP^Q11', ['query']],
    ['?from=2026-11-21T12:01:00Z', ['query', 'bad']],
    ['?to=2026-11-21T12:01:00Z', ['good']],
    ['?from=2026-11-21T15:01:00%2B03:00&to=2026-11-21T15:02:00%2B03:00', ['bad']],
    ['?to=2026-11-21', ['query', 'bad', 'good']],
    ['?from=2026-11-22', []],
    ['?_count=1', ['query'], 3],
    ['?_count=1&_offset=1', ['bad'], 3],
    ['?_count=0', [], 3],
  ] as const)('%s', async (query, ids, total: number = ids.length) => {
    const list = await json(`GET /admin/messages${query}`);
    expect(list.items.map(({ controlId }) => controlId)).toEqual(ids);
    expect(list.total).toBe(total);
  });

  test.each([
    ['?state=lost', 'bad-request'],
    ['?from=yesterday', 'bad-request'],
    ['?to=2026-02-30', 'bad-request'],
    ['?_count=-1', 'bad-request'],
    ['?_count=501', 'bad-request'],
    ['?_offset=x', 'bad-request'],
    ['?state=dead&state=received', 'bad-request'],
    ['?_continue=1', 'bad-request'],
    ['?_continue=time-1-1&_offset=1', 'bad-request'],
    ['?controlID=1', 'unknown-parameter'],
  ])('%s is refused: %s', async (query, code) => {
    await expect(call(`GET /admin/messages${query}`)).rejects.toMatchObject({ code });
  });

  test('lists show no bytes and nothing of the patient', async () => {
    const text = JSON.stringify((await call('GET /admin/messages')).body);
    expect(text).not.toMatch(/Otieno|Achieng|7393670|2\.780|MSA/);
  });
});

describe('one message', () => {
  test('with its fate and what it caused, down to what the flows sent', async () => {
    await flows.subscribe([{ kind: 'resource', name: 'results', criteria: 'Observation?code=6690-2' }]);
    const id = await given({ controlId: '9' });
    const [event] = await flows.lease(1);
    const send = { kind: 'send', destination: 'sms', contentType: 'text/plain', body: 'come' } as const;
    await flows.complete(event!.id, event!.lease, [send]);
    const message = await json(`GET /admin/messages/${id}`);
    expect(message).toMatchObject({
      id,
      state: 'processed',
      receivedAt: '2026-11-21T12:00:00.000Z',
      effects: ['Patient/pat-1/_history/1', 'Observation/obs-S1/_history/1'],
      deliveries: [
        { destination: 'flow:results', state: 'done' },
        { destination: 'send:sms', state: 'waiting' },
      ],
    });
    expect(JSON.stringify(message)).not.toContain('come');
  });

  test('its bytes, under their media type', async () => {
    const id = await given({ controlId: '9' });
    const { headers, body } = await call(`GET /admin/messages/${id}/raw`);
    expect(headers).toEqual({ 'content-type': 'application/hl7-v2' });
    expect(Buffer.from(body as Uint8Array)).toEqual(hl7({ controlId: '9' }));
  });

  test.each([
    'GET /admin/messages/x',
    'GET /admin/messages/x/raw',
    'POST /admin/messages/x/replay',
    'GET /admin/deliveries/x',
    'GET /admin/deliveries/x/payload',
    'POST /admin/deliveries/x/requeue',
  ])('%s is not found', async (line) => {
    await expect(call(line)).rejects.toMatchObject({ code: 'not-found' });
  });

  test('mended, it is processed; the old one says as which', async () => {
    const id = await given({ value: 'BAD' });
    const answer = await call(`POST /admin/messages/${id}/mend`, hl7());
    expect(answer.status).toBe(202);
    const mended = (answer.body as Json).id;
    expect(answer.headers).toEqual({ location: `/admin/messages/${mended}` });
    await until(async () => (await json(`GET /admin/messages/${mended}`))['state'] === 'processed');
    expect(await json(`GET /admin/messages/${id}`)).toMatchObject({
      state: 'discarded',
      reason: { code: 'mended-as', text: mended },
    });
  });

  test('replayed, it waits again: 202', async () => {
    const id = await given({ type: 'ADT^A01' });
    const answer = await call(`POST /admin/messages/${id}/replay`);
    expect(answer).toMatchObject({ status: 202, body: { id, state: 'received', changedBy: 'amina' } });
  });

  test.each([
    ['{"reason":"sent by mistake"}', undefined],
    ['{}', 'bad-request'],
    ['{"reason":""}', 'bad-request'],
    ['{"reason":7}', 'bad-request'],
    ['{"reason":"x","more":1}', 'bad-request'],
    ['reason', 'bad-request'],
    ['', 'bad-request'],
    [`{"reason":"${'x'.repeat(501)}"}`, 'bad-request'],
  ])('discarded with %s', async (body, code) => {
    const id = await given({ value: 'BAD' });
    const discarding = call(`POST /admin/messages/${id}/discard`, body, 'application/json');
    if (code === undefined) {
      expect(await discarding).toMatchObject({ status: 200, body: { state: 'discarded' } });
    } else await expect(discarding).rejects.toMatchObject({ code });
    const state = (await house.store.messages.message(id))?.state;
    expect(state).toBe(code === undefined ? 'discarded' : 'dead');
  });
});

describe('deliveries', () => {
  let id: string;
  beforeEach(async () => {
    await flows.subscribe([{ kind: 'resource', name: 'results', criteria: 'Observation?code=6690-2' }]);
    await given({});
    id = (await json('GET /admin/deliveries')).items[0]!['id'] as string;
  });

  test.each([
    ['', 1],
    ['?destination=flow:results', 1],
    ['?destination=flow:other', 0],
    ['?state=waiting', 1],
    ['?state=dead', 0],
    ['?cause=Observation/obs-S1/_history/1', 1],
  ])('GET /admin/deliveries%s', async (query, total) => {
    const list = await json(`GET /admin/deliveries${query}`);
    expect([list.total, list.items.length]).toEqual([total, total]);
  });

  test('one delivery, and its payload apart', async () => {
    expect(await json(`GET /admin/deliveries/${id}`)).toMatchObject({
      id,
      destination: 'flow:results',
      attempts: 0,
    });
    const { headers, body } = await call(`GET /admin/deliveries/${id}/payload`);
    expect(headers).toEqual({ 'content-type': 'application/json' });
    expect(JSON.parse(Buffer.from(body as Uint8Array).toString())).toMatchObject({
      reference: 'Observation/obs-S1',
    });
  });

  test('discarded with who and why, then requeued', async () => {
    const discarded = await json(`POST /admin/deliveries/${id}/discard`, '{"reason":"not wanted"}');
    expect(discarded).toMatchObject({ state: 'discarded', reason: { text: 'not wanted (amina)' } });
    expect(await flows.lease(1)).toEqual([]);
  });

  test('a finished one is handed out again when requeued', async () => {
    const [event] = await flows.lease(1);
    await flows.complete(event!.id, event!.lease, []);
    expect((await call(`POST /admin/deliveries/${id}/requeue`)).status).toBe(202);
    expect((await flows.lease(1)).map((one) => one.id)).toEqual([id]);
  });
});

describe('maps', () => {
  test('are listed', async () => {
    expect(await json('GET /admin/mappings')).toEqual({ total: 1, items: [{ name: 'test-result' }] });
  });

  test('are tried without storing anything', async () => {
    const tried = await json('POST /admin/mappings/$try', hl7(), 'text/x-hl7-v2');
    expect(tried).toMatchObject({
      map: 'test-result',
      bundle: { type: 'transaction', entry: [{}, { resource: { valueString: '2.780' } }] },
      issues: [],
      trace: [{ from: 'OBX[1]-5' }],
      unmapped: ['OBX[1]-6'],
    });
    expect(await house.messages()).toEqual([]);
    expect(await house.versions('Observation/obs-S1')).toBe(0);
  });

  test.each([
    ['what the map refuses', '', hl7({ value: 'BAD' }), { bundle: null, issues: [{ code: 'bad-value' }] }],
    ['no map', '', hl7({ type: 'ADT^A01' }), { map: null, bundle: null, issues: [{ code: 'no-map' }] }],
    ['a map that is named', '?map=test-result', hl7({ type: 'ADT^A01' }), { map: 'test-result', issues: [] }],
    ['a query', '', hl7({ type: 'QBP^Q11' }), { bundle: null, disposition: { code: 'query' } }],
    ['no message', '', 'not a message', { bundle: null, issues: [{ severity: 'error' }] }],
  ])('and say of %s what there is to say', async (_name, query, body, expected) => {
    expect(await json(`POST /admin/mappings/$try${query}`, body)).toMatchObject(expected);
  });

  test.each([
    ['', '', 'application/hl7-v2', 'bad-request'],
    ['', hl7(), 'application/json', 'unsupported-media-type'],
    ['?mapp=x', hl7(), 'application/hl7-v2', 'unknown-parameter'],
  ])('refuse %s', async (query, body, type, code) => {
    await expect(call(`POST /admin/mappings/$try${query}`, body, type)).rejects.toMatchObject({ code });
  });
});
