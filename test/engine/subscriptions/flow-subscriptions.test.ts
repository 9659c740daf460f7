// The door to the flows: an event in the commit of its cause, leased, and ended together with what the flow wants done.
import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseResource } from '../../../engine/fhir/exact-json.ts';
import type { FhirResource } from '../../../engine/fhir/resource.ts';
import type { Actor } from '../../../engine/kernel/actor.ts';
import type { Tracer } from '../../../engine/kernel/tracer.ts';
import { createDeadLetters } from '../../../engine/messages/dead-letters.ts';
import { retryPolicies } from '../../../engine/messages/retry.ts';
import type { Delivery } from '../../../engine/storage/message-store.ts';
import type { FlowEffect, FlowEvent, FlowSubscription } from '../../../engine/subscriptions/flow-port.ts';
import { createFlowPort, type EngineFlowPort } from '../../../engine/subscriptions/flow-subscriptions.ts';
import { administrator, arrivalOf, hl7, openHouse, until, type House } from '../messages/house.ts';
import { wholeDeliveries } from '../../support/deliveries.ts';

const author: Actor = { kind: 'client', id: 'emr', scopes: ['system/*.cruds'] };
const critical: FlowSubscription = {
  kind: 'resource',
  name: 'critical reports',
  criteria: 'DiagnosticReport?status=preliminary',
};
const policy = retryPolicies.flow;

let house: House;
let flows: EngineFlowPort;
let outboxCalls: number;
beforeEach(async () => {
  house = await openHouse(undefined, false);
  await openDoor();
});
afterEach(async () => {
  flows.stop();
  await house.close();
});

async function openDoor(): Promise<void> {
  outboxCalls = 0;
  flows = createFlowPort({ ...house, wakeOutbox: () => (outboxCalls += 1), leaseMs: 10_000, pollMs: 60_000 });
  await flows.start();
}

const report = (id: string, status = 'preliminary', subject = 'Patient/p1'): FhirResource => ({
  resourceType: 'DiagnosticReport',
  id,
  status,
  code: { text: 'Blood count' },
  subject: { reference: subject },
});

const write = (resource: FhirResource, actor = author) => house.repository.as(actor).update(resource);
const deliveries = (): Promise<readonly Delivery[]> => wholeDeliveries(house.store.messages);
const deliveryOf = async (id: string): Promise<Delivery> => (await house.store.messages.delivery(id))!;

async function leaseOne(): Promise<FlowEvent> {
  const [event, ...others] = await flows.lease(10);
  expect(others).toEqual([]);
  expect(event).toBeDefined();
  return event!;
}

const communication: Extract<FlowEffect, { kind: 'write' }> = {
  kind: 'write',
  resource: { resourceType: 'Communication', id: 'c1', status: 'completed' },
};
const sms: FlowEffect = { kind: 'send', destination: 'sms', contentType: 'text/plain', body: 'critical' };

describe('traces', () => {
  const around = new AsyncLocalStorage<string>();
  const spans: { readonly name: string; readonly parent: string | undefined }[] = [];
  const tracer: Tracer = {
    span: (name, { parent = around.getStore() }, work) => {
      spans.push({ name, parent });
      const traceparent = `${parent ?? 'begun'}>${name}`;
      return around.run(traceparent, () =>
        work({ traceparent, note: () => undefined, fail: () => undefined }),
      );
    },
    current: () => around.getStore(),
  };

  test('what a flow sends and writes is of the trace of what it was told, whoever shares the commit', async () => {
    spans.length = 0;
    flows.stop();
    flows = createFlowPort({ ...house, tracer, wakeOutbox: () => undefined, pollMs: 60_000 });
    await flows.start();
    await flows.subscribe([critical, { kind: 'resource', name: 'all', criteria: 'Communication' }]);
    const traced = (id: string) =>
      tracer.span(id, { kind: 'server' }, () => write(report(id, 'preliminary', `Patient/${id}`)));
    await Promise.all([traced('r1'), traced('r2'), write(report('r3', 'preliminary', 'Patient/r3'))]);
    const traces = async (destination: string): Promise<readonly (string | undefined)[]> =>
      (await deliveries())
        .filter((delivery) => delivery.destination === destination)
        .map(({ trace }) => trace)
        .sort();
    expect(await traces('flow:critical reports')).toEqual(['begun>r1', 'begun>r2', undefined]);
    for (const event of await flows.lease(10)) {
      const own = { ...communication.resource, id: event.id } as FhirResource;
      await flows.complete(event.id, event.lease, [sms, { kind: 'write', resource: own }]);
    }
    const within = [
      'begun>flow critical reports',
      'begun>r1>flow critical reports',
      'begun>r2>flow critical reports',
    ];
    expect(await traces('send:sms')).toEqual(within);
    expect(await traces('flow:all')).toEqual(within);
    expect(
      spans
        .slice(2)
        .map(({ parent }) => parent)
        .sort(),
    ).toEqual(['begun>r1', 'begun>r2', undefined]);
  });

  test('a message that a flow is told of tells its own', async () => {
    await flows.subscribe([{ kind: 'message', name: 'any', channel: '', messageType: '' }]);
    await house.inbox({ tracer }).receive(arrivalOf(hl7({ controlId: 'm1' })));
    const processor = house.processor();
    processor.onProcessed(flows.onProcessed);
    processor.start();
    await until(async () => (await deliveries()).length > 0);
    await processor.stop();
    expect((await deliveries()).map(({ trace }) => trace)).toEqual(['begun>receive lab']);
  });
});

describe('which changes make events', () => {
  test.each<[string, readonly FhirResource[], readonly string[]]>([
    ['a match', [report('r1')], ['DiagnosticReport/r1 1 created']],
    ['no match', [report('r1', 'final')], []],
    ['another type', [{ resourceType: 'Patient', id: 'p1' }], []],
    [
      'each version that matches',
      [report('r1'), { ...report('r1'), conclusion: 'seen' }],
      ['DiagnosticReport/r1 1 created', 'DiagnosticReport/r1 2 updated'],
    ],
    ['a write that changes nothing', [report('r1'), report('r1')], ['DiagnosticReport/r1 1 created']],
  ])('%s', async (_name, resources, expected) => {
    await flows.subscribe([critical]);
    for (const resource of resources) await write(resource);
    const told: string[] = [];
    for (let [event] = await flows.lease(1); event !== undefined; [event] = await flows.lease(1)) {
      const { content } = event;
      if (content.kind === 'resource') {
        told.push(`${content.reference} ${content.version} ${content.change}`);
        expect(content.resource?.meta?.versionId).toBe(String(content.version));
      }
      await flows.complete(event.id, event.lease, []);
    }
    expect(told).toEqual(expected);
  });

  test('an event and its cause commit together or not at all', async () => {
    await flows.subscribe([critical]);
    const failing = house.repository.transact(author, async (unit) => {
      await unit.update(report('r1'));
      throw new Error('the power of this transaction fails');
    });
    await expect(failing).rejects.toThrow();
    expect(await deliveries()).toEqual([]);
  });

  test('a deletion is told to those who listen to the whole type', async () => {
    await write(report('r1'));
    await flows.subscribe([critical, { kind: 'resource', name: 'all', criteria: 'DiagnosticReport' }]);
    await house.repository.as(author).delete('DiagnosticReport', 'r1');
    const event = await leaseOne();
    expect(event.subscription).toBe('all');
    expect(event.content).toMatchObject({ change: 'deleted', version: 2, resource: undefined });
  });

  test('one patient is told in order, another patient beside', async () => {
    await flows.subscribe([critical]);
    await write(report('r1', 'preliminary', 'Patient/p1'));
    await write(report('r2', 'preliminary', 'Patient/p1'));
    await write(report('r3', 'preliminary', 'Patient/p2'));
    const references = (await flows.lease(10)).map(
      ({ content }) => content.kind === 'resource' && content.reference,
    );
    expect(references).toEqual(['DiagnosticReport/r1', 'DiagnosticReport/r3']);
    expect(await flows.lease(10)).toEqual([]);
  });

  test('listeners are called after the commit that made the event', async () => {
    await flows.subscribe([critical]);
    let calls = 0;
    flows.onEvents(() => (calls += 1));
    await write(report('r1', 'final'));
    expect(calls).toBe(0);
    await write(report('r2'));
    expect(calls).toBe(1);
  });
});

describe('messages', () => {
  test('a processed message is told with its text, in the commit that processes it', async () => {
    const byType = { kind: 'message', name: 'results', channel: '', messageType: 'ORU^R01' } as const;
    const byChannel = { kind: 'message', name: 'lab 2', channel: 'lab-2', messageType: '' } as const;
    await flows.subscribe([byType, byChannel]);
    const processor = house.processor();
    processor.onProcessed(flows.onProcessed);
    processor.start();
    const { messageId } = await house.inbox().receive(arrivalOf(hl7({ controlId: '77' }), 'lab'));
    await until(async () => (await house.states())['77'] === 'processed');
    await processor.stop();
    const event = await leaseOne();
    expect(event.subscription).toBe('results');
    expect(event.content).toEqual({
      kind: 'message',
      messageId,
      messageType: 'ORU^R01',
      text: hl7({ controlId: '77' }).toString(),
    });
    expect((await deliveryOf(event.id)).cause).toBe(messageId);
  });
});

describe('subscriptions', () => {
  test('are FHIR Subscriptions, and make events while no flow runs, over restarts', async () => {
    await flows.subscribe([critical]);
    const { matches } = await house.repository.as(author).search('Subscription', 'status=active');
    expect(matches.map(({ body }) => parseResource(body!))).toMatchObject([
      {
        criteria: critical.criteria,
        channel: { type: 'message', endpoint: 'urn:kiungo:flow:critical%20reports' },
      },
    ]);
    flows.stop();
    house = await house.reopened();
    await openDoor();
    await write(report('r1'));
    expect((await leaseOne()).subscription).toBe('critical reports');
  });

  test('the same ones again make no new versions; what is no longer named is off and its events stay', async () => {
    await flows.subscribe([critical]);
    await write(report('r1'));
    await flows.subscribe([critical]);
    const active = async () =>
      (await house.repository.as(author).search('Subscription', 'status=active')).matches;
    expect((await active()).map(({ version }) => version)).toEqual([1]);
    await flows.subscribe([]);
    expect(await active()).toEqual([]);
    await write(report('r2'));
    expect(await flows.lease(10)).toEqual([]);
    expect(await deliveries()).toHaveLength(1);
    await flows.subscribe([critical]);
    expect((await leaseOne()).content).toMatchObject({ reference: 'DiagnosticReport/r1' });
  });

  test.each<[string, readonly FlowSubscription[], string]>([
    ['an unknown type', [{ ...critical, criteria: 'Report?status=final' }], 'bad-request'],
    ['an unknown parameter', [{ ...critical, criteria: 'DiagnosticReport?mood=good' }], 'unknown-parameter'],
    ['a chain', [{ ...critical, criteria: 'DiagnosticReport?subject:Patient.name=A' }], 'bad-request'],
    ['no name', [{ ...critical, name: '' }], 'bad-request'],
    ['two of one name', [critical, critical], 'bad-request'],
  ])('%s is refused, and what was there stays', async (_name, bad, code) => {
    await flows.subscribe([{ ...critical, name: 'before' }]);
    await expect(flows.subscribe(bad)).rejects.toMatchObject({ code });
    await write(report('r1'));
    expect((await leaseOne()).subscription).toBe('before');
  });
});

describe('the end of an event', () => {
  let event: FlowEvent;
  beforeEach(async () => {
    await flows.subscribe([critical]);
    await write(report('r1'));
    event = await leaseOne();
  });

  test('its effects commit with it', async () => {
    await flows.complete(event.id, event.lease, [communication, sms]);
    expect(await house.versions('Communication/c1')).toBe(1);
    const [done, send] = await deliveries();
    expect(done).toMatchObject({ id: event.id, state: 'done' });
    expect(send).toMatchObject({
      destination: 'send:sms',
      state: 'waiting',
      cause: event.id,
      contentType: 'text/plain',
    });
    expect(Buffer.from(send!.payload).toString()).toBe('critical');
    expect(outboxCalls).toBe(1);
  });

  test.each<[string, unknown, string]>([
    ['no list', {}, 'bad-request'],
    ['an unknown kind', [communication, { kind: 'print' }], 'bad-request'],
    ['no resource', [communication, { kind: 'write', resource: { resourceType: 'Nothing' } }], 'bad-request'],
    ['a bad destination', [communication, { ...sms, destination: '../sms' }], 'bad-request'],
    ['a body that is no text', [communication, { ...sms, body: 7 }], 'bad-request'],
  ])('a bad effect (%s) leaves it open and writes nothing', async (_name, effects, code) => {
    const completing = flows.complete(event.id, event.lease, effects as readonly FlowEffect[]);
    await expect(completing).rejects.toMatchObject({ code });
    expect((await deliveryOf(event.id)).state).toBe('leased');
    expect(await deliveries()).toHaveLength(1);
    expect(await house.versions('Communication/c1')).toBe(0);
    await flows.complete(event.id, event.lease, [communication]);
    expect(await house.versions('Communication/c1')).toBe(1);
  });

  test.each([
    ['another lease', 0, () => 'another'],
    ['a lease that has run out', 10_001, (lease: string) => lease],
  ])('with %s it is a conflict and does nothing', async (_name, later, leaseOf) => {
    house.clock.advance(later);
    const lease = leaseOf(event.lease);
    await expect(flows.complete(event.id, lease, [communication])).rejects.toMatchObject({
      code: 'conflict',
    });
    await expect(flows.fail(event.id, lease, 'x')).rejects.toMatchObject({ code: 'conflict' });
    expect(await house.versions('Communication/c1')).toBe(0);
  });

  test('twice is a conflict: the effects are there once', async () => {
    await flows.complete(event.id, event.lease, [sms]);
    await expect(flows.complete(event.id, event.lease, [sms])).rejects.toMatchObject({ code: 'conflict' });
    expect(await deliveries()).toHaveLength(2);
  });

  test('a lease that runs out gives the event to the next who asks, with its tries counted', async () => {
    expect(await flows.lease(10)).toEqual([]);
    house.clock.advance(10_001);
    const again = await leaseOne();
    expect(again).toMatchObject({ id: event.id, attempts: 2, content: event.content });
    expect(again.lease).not.toBe(event.lease);
  });

  test('a flow that hangs every time is given up', async () => {
    for (let attempts = 2; attempts <= policy.tries; attempts += 1) {
      house.clock.advance(10_001);
      expect((await leaseOne()).attempts).toBe(attempts);
    }
    house.clock.advance(10_001);
    expect(await flows.lease(10)).toEqual([]);
    expect(await deliveryOf(event.id)).toMatchObject({ state: 'dead', reason: { code: 'flow-hangs' } });
  });

  test('a failure is tried again with back-off, then waits for a person, who requeues it', async () => {
    let current = event;
    for (let attempts = 1; attempts < policy.tries; attempts += 1) {
      await flows.fail(current.id, current.lease, 'the ward printer is out of paper');
      expect(await flows.lease(10)).toEqual([]);
      house.clock.advance(policy.delaysMs.at(-1)! * 1.25 + 1);
      current = await leaseOne();
    }
    await flows.fail(current.id, current.lease, 'the ward printer is out of paper');
    const dead = await deliveryOf(event.id);
    expect(dead).toMatchObject({
      state: 'dead',
      attempts: policy.tries,
      reason: { code: 'flow-failed', text: 'the ward printer is out of paper' },
    });
    const wakes: string[] = [];
    flows.onEvents(() => wakes.push('wake'));
    const letters = createDeadLetters({ ...house, wake: () => undefined, wakeDeliveries: flows.wake });
    await letters.requeueDelivery(event.id, administrator);
    expect(wakes.length).toBeGreaterThan(0);
    const requeued = await leaseOne();
    await flows.complete(requeued.id, requeued.lease, [communication]);
    expect(await house.versions('Communication/c1')).toBe(1);
  });
});

describe('flows that write for flows', () => {
  const seen = { ...report('r1'), conclusion: 'seen' };

  test('a flow is not told of its own writes; others are', async () => {
    await flows.subscribe([critical, { ...critical, name: 'others' }]);
    await write(report('r1'));
    const events = await flows.lease(10);
    const own = events.find(({ subscription }) => subscription === critical.name)!;
    const other = events.find(({ subscription }) => subscription === 'others')!;
    await flows.complete(other.id, other.lease, []);
    await flows.complete(own.id, own.lease, [{ kind: 'write', resource: seen }]);
    expect(await leaseOne()).toMatchObject({ subscription: 'others', content: { version: 2 } });
  });

  test('two that cause each other end with a person', async () => {
    await flows.subscribe([critical, { ...critical, name: 'others' }]);
    await write(report('r1'));
    for (let turn = 0; turn < 100; turn += 1) {
      const events = await flows.lease(10);
      if (events.length === 0) break;
      for (const { id, lease } of events) {
        const resource = { ...report('r1'), conclusion: `turn ${turn} of ${id}` };
        await flows.complete(id, lease, [{ kind: 'write', resource }]);
      }
    }
    expect(await flows.lease(10)).toEqual([]);
    const dead = await house.store.messages.deliveries({ state: 'dead', limit: 10, offset: 0 });
    expect(dead.total).toBeGreaterThan(0);
    expect(new Set(dead.items.map(({ reason }) => reason?.code))).toEqual(new Set(['flow-loop']));
  });
});

describe('what a flow reads', () => {
  test('a resource, a search with what it includes, and refusals', async () => {
    await write({ resourceType: 'Patient', id: 'p1', active: true });
    await write(report('r1'));
    expect(await flows.read('Patient/p1')).toMatchObject({ active: true });
    const found = await flows.search('DiagnosticReport?subject=Patient/p1&_include=DiagnosticReport:subject');
    expect(found.map(({ resourceType }) => resourceType)).toEqual(['DiagnosticReport', 'Patient']);
    await expect(flows.read('Patient/nobody')).rejects.toMatchObject({ code: 'not-found' });
    await expect(flows.read('Patient')).rejects.toMatchObject({ code: 'bad-request' });
    await expect(flows.search('Patient?mood=good')).rejects.toMatchObject({ code: 'unknown-parameter' });
  });
});
