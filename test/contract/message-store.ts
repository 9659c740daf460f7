// What every MessageStore promises, one test a promise.
import { describe, expect, test } from '@jest/globals';
import type {
  Delivery,
  LeaseRequest,
  MessageChange,
  MessageFilter,
  MessageRecord,
  MessageState,
  MessageWriter,
  NewDelivery,
} from '../../engine/storage/message-store.ts';
import type { Store } from '../../engine/storage/store.ts';
import { withStore, type OpenStore } from './opened-store.ts';

export const record = (id: string, change: Partial<MessageRecord> = {}): MessageRecord => ({
  id,
  channel: 'lab',
  peer: '10.0.0.7:4711',
  receivedAt: 1000,
  controlId: id,
  messageType: 'ORU^R01',
  format: 'application/hl7-v2',
  digest: 'd1',
  size: 3,
  state: 'received',
  reason: undefined,
  attempts: 0,
  dueAt: 1000,
  acknowledgement: 'pending',
  answer: undefined,
  map: undefined,
  effects: [],
  replayOf: undefined,
  batch: undefined,
  changedBy: undefined,
  ...change,
});

const bytes = new Uint8Array([0x0b, 0, 255, 0x1c, 0x0d]);
const act = <T>(store: Store, work: (messages: MessageWriter) => Promise<T>): Promise<T> =>
  store.transact(({ messages }) => work(messages));

const keepAll = (store: Store, records: readonly MessageRecord[]): Promise<void> =>
  act(store, async (messages) => {
    for (const one of records) await messages.keep(one, bytes);
  });

const changes: readonly (readonly [rule: string, change: MessageChange])[] = [
  ['state and reason', { state: 'dead', reason: { code: 'map-failed', text: 'PID-3 is empty' } }],
  ['the acknowledgement and its answer', { acknowledgement: 'sent', answer: new Uint8Array([1, 0, 2]) }],
  ['a large answer', { answer: new Uint8Array(100_000).fill(7) }],
  ['what it caused', { state: 'processed', map: 'ORU_R01', effects: ['Observation/1/_history/1'] }],
  ['the next try', { attempts: 3, dueAt: 99_000, reason: { code: 'unavailable', text: 'disk' } }],
  ['who changed it', { state: 'discarded', changedBy: 'amina' }],
  ['nothing', {}],
];

/** Among m1 … m4 (see the test), newest first. */
const filters: readonly (readonly [filter: Partial<MessageFilter>, ids: readonly string[], total: number])[] =
  [
    [{}, ['m4', 'm3', 'm2', 'm1'], 4],
    [{ state: 'received' }, ['m4', 'm1'], 2],
    [{ channel: 'lab' }, ['m3', 'm1'], 2],
    [{ controlId: 'm2' }, ['m2'], 1],
    [{ messageType: 'ADT^A01' }, ['m4'], 1],
    [{ batch: 'b1' }, ['m3', 'm2'], 2],
    [{ from: 2000, to: 4000 }, ['m3', 'm2'], 2],
    [{ channel: 'lab', state: 'dead' }, ['m3'], 1],
    [{ limit: 2 }, ['m4', 'm3'], 4],
    [{ limit: 2, offset: 3 }, ['m1'], 4],
    [{ state: 'discarded' }, [], 0],
  ];

const delivery = (id: string, change: Partial<NewDelivery> = {}): NewDelivery => ({
  id,
  destination: 'send:his',
  lane: 'his',
  createdAt: 1000,
  contentType: 'application/hl7-v2',
  payload: bytes,
  cause: 'm1',
  ...change,
});

const enqueueAll = (store: Store, deliveries: readonly NewDelivery[]): Promise<void> =>
  act(store, async (messages) => {
    for (const one of deliveries) await messages.enqueue(one);
  });

const leaseAt = (
  store: Store,
  now: number,
  change: Partial<LeaseRequest> = {},
): Promise<readonly Delivery[]> =>
  act(store, (messages) =>
    messages.lease({ destinations: ['send:his'], now, leaseMs: 500, limit: 10, ...change }),
  );

const ids = (items: readonly { readonly id: string }[]): readonly string[] => items.map(({ id }) => id);

const settle = (store: Store, leased: Delivery | undefined, result: Parameters<MessageWriter['settle']>[2]) =>
  act(store, (messages) => messages.settle(leased?.id ?? '', leased?.lease ?? '', result));

const reason = { code: 'unreachable', text: 'no answer' };

export function messageStoreContract(name: string, open: OpenStore): void {
  describe(`${name}: messages`, () => {
    test(
      'a kept message is there as it was, and so are its bytes',
      withStore(open, async (store) => {
        const full = record('m', {
          state: 'set-aside',
          reason: { code: 'quality-control', text: 'a control run' },
          answer: bytes,
          map: 'ORU_R01',
          effects: ['Patient/1/_history/1'],
          replayOf: 'm0',
          batch: 'b1',
          changedBy: 'amina',
        });
        await keepAll(store, [full, record('n')]);
        expect(await store.messages.message('m')).toEqual(full);
        expect(await store.messages.message('n')).toEqual(record('n'));
        expect(await store.messages.raw('m')).toEqual(bytes);
        expect(await store.messages.message('x')).toBeUndefined();
        expect(await store.messages.raw('x')).toBeUndefined();
      }),
    );

    test(
      'the same id is not kept twice',
      withStore(open, async (store) => {
        await keepAll(store, [record('m')]);
        await expect(keepAll(store, [record('m')])).rejects.toMatchObject({ code: 'conflict' });
      }),
    );

    test.each(changes)('change sets what it names and nothing else: %s', (_rule, change) =>
      withStore(open, async (store) => {
        await keepAll(store, [record('m'), record('n')]);
        await act(store, (messages) => messages.change('m', change));
        expect(await store.messages.message('m')).toEqual({ ...record('m'), ...change });
        expect(await store.messages.message('n')).toEqual(record('n'));
      })(),
    );

    test(
      'a field given as undefined is emptied',
      withStore(open, async (store) => {
        await keepAll(store, [record('m', { reason, answer: bytes, map: 'x', changedBy: 'amina' })]);
        const emptied = {
          reason: undefined,
          answer: undefined,
          map: undefined,
          changedBy: undefined,
        } as const;
        await act(store, (messages) => messages.change('m', emptied as MessageChange));
        expect(await store.messages.message('m')).toEqual(record('m'));
      }),
    );

    test(
      'a large answer is there for whoever opens the message or sends it again, until it is replaced',
      withStore(open, async (store) => {
        const large = new Uint8Array(100_000).fill(7);
        const kept = record('m', { answer: large });
        await keepAll(store, [kept]);
        expect((await store.messages.message('m'))?.answer).toEqual(large);
        expect((await store.messages.duplicateOf(kept))?.answer).toEqual(large);
        const { items } = await store.messages.messages({ limit: 10, offset: 0 });
        expect(items[0]?.answer).toEqual(new Uint8Array());
        await act(store, (messages) => messages.change('m', { answer: bytes }));
        expect((await store.messages.message('m'))?.answer).toEqual(bytes);
      }),
    );

    test(
      'changing what is not there is refused',
      withStore(open, async (store) => {
        const changing = act(store, (messages) => messages.change('m', { state: 'dead' }));
        await expect(changing).rejects.toMatchObject({ code: 'not-found' });
      }),
    );

    test.each([
      ['the same', {}, 'first'],
      ['another channel', { channel: 'x' }, undefined],
      ['another type', { messageType: 'x' }, undefined],
      ['another control id', { controlId: 'x' }, undefined],
      ['other bytes', { digest: 'x' }, undefined],
    ])('duplicateOf finds the first that is alike in all four: %s', (_rule, change, expected) =>
      withStore(open, async (store) => {
        await keepAll(store, [record('first', { controlId: 'c' }), record('second', { controlId: 'c' })]);
        const key = { channel: 'lab', messageType: 'ORU^R01', controlId: 'c', digest: 'd1', ...change };
        expect((await store.messages.duplicateOf(key))?.id).toBe(expected);
      })(),
    );

    test.each(filters)('messages that fit %j', (filter, expected, total) =>
      withStore(open, async (store) => {
        await keepAll(store, [
          record('m1', { receivedAt: 1000 }),
          record('m3', { receivedAt: 3000, state: 'dead', batch: 'b1' }),
          record('m2', { receivedAt: 2000, channel: 'adt', state: 'processed', batch: 'b1' }),
          record('m4', { receivedAt: 4000, channel: 'adt', messageType: 'ADT^A01' }),
        ]);
        const listed = await store.messages.messages({ limit: 10, offset: 0, ...filter });
        expect({ ids: ids(listed.items), total: listed.total }).toEqual({ ids: expected, total });
      })(),
    );

    test(
      'of each channel only its oldest received message is due, and only at its time',
      withStore(open, async (store) => {
        await keepAll(store, [
          record('lab-1', { dueAt: 5000 }),
          record('lab-2', { dueAt: 1000 }),
          record('adt-0', { channel: 'adt', state: 'processed' }),
          record('adt-1', { channel: 'adt', dueAt: 1000 }),
          record('adt-2', { channel: 'adt', dueAt: 1000 }),
          record('xray-1', { channel: 'xray', dueAt: 900 }),
        ]);
        expect(ids(await store.messages.dueMessages(1000, 10))).toEqual(['adt-1', 'xray-1']);
        expect(ids(await store.messages.dueMessages(1000, 1))).toEqual(['adt-1']);
        expect(ids(await store.messages.dueMessages(5000, 10))).toEqual(['lab-1', 'adt-1', 'xray-1']);
        await act(store, (messages) => messages.change('adt-1', { state: 'dead' }));
        expect(ids(await store.messages.dueMessages(1000, 10))).toEqual(['adt-2', 'xray-1']);
        await act(store, (messages) => messages.change('adt-1', { state: 'received' }));
        expect(ids(await store.messages.dueMessages(1000, 10))).toEqual(['adt-1', 'xray-1']);
      }),
    );

    test(
      'behind a message waits what came after it in its channel, as far as it is due',
      withStore(open, async (store) => {
        await keepAll(store, [
          record('a', { dueAt: 1000 }),
          record('b', { dueAt: 1000 }),
          record('other', { channel: 'adt', dueAt: 1000 }),
          record('gone', { state: 'processed' }),
          record('c', { dueAt: 1000 }),
          record('later', { dueAt: 5000 }),
          record('d', { dueAt: 1000 }),
        ]);
        const behind = (id: string, limit = 10): Promise<readonly string[]> =>
          store.messages.dueBehind({ id, channel: 'lab' }, 1000, limit);
        expect(await behind('a')).toEqual(['b', 'c']);
        expect(await behind('a', 1)).toEqual(['b']);
        expect(await behind('c')).toEqual([]);
        expect(await behind('later')).toEqual(['d']);
      }),
    );

    test(
      'the census equals a recount, also after what was undone',
      withStore(open, async (store) => {
        const states: readonly MessageState[] = ['received', 'processed', 'dead', 'received'];
        await keepAll(
          store,
          states.map((state, index) => record(`m${index}`, { state, receivedAt: 1000 + index })),
        );
        await act(store, (messages) => messages.change('m0', { state: 'processed' }));
        await enqueueAll(store, [
          delivery('d1', { createdAt: 5 }),
          delivery('d2', { createdAt: 6 }),
          delivery('d3', { createdAt: 7 }),
        ]);
        const [leased] = await leaseAt(store, 1000);
        await settle(store, leased, { state: 'dead', reason });
        await leaseAt(store, 1000);
        const undone = act(store, async (messages) => {
          await messages.change('m1', { state: 'discarded' });
          await messages.enqueue(delivery('d4'));
          throw new Error('no');
        });
        await expect(undone).rejects.toThrow('no');
        expect(await store.messages.census()).toEqual({
          messages: { received: 1, processed: 2, 'set-aside': 0, dead: 1, discarded: 0 },
          deliveries: { waiting: 1, leased: 1, done: 0, dead: 1, discarded: 0 },
          oldestReceivedAt: 1003,
          oldestWaitingAt: 7,
        });
      }),
    );

    test(
      'messages are found by all the keys given, newest first, until they are purged',
      withStore(open, async (store) => {
        await keepAll(store, [
          record('m1'),
          record('m2', { channel: 'adt' }),
          record('m3', { state: 'dead' }),
        ]);
        const patient = { name: 'patient', value: '739' };
        const ward = { name: 'ward', value: 'ICU' };
        await act(store, async (messages) => {
          for (const id of ['m1', 'm2', 'm3']) await messages.addKeys(id, [patient, patient]);
          await messages.addKeys('m1', [ward]);
        });
        const found = async (filter: Partial<MessageFilter>): Promise<readonly string[]> =>
          ids((await store.messages.messages({ limit: 10, offset: 0, ...filter })).items);
        expect(await found({ keys: [patient] })).toEqual(['m3', 'm2', 'm1']);
        expect(await found({ keys: [patient, ward] })).toEqual(['m1']);
        expect(await found({ keys: [patient], channel: 'adt' })).toEqual(['m2']);
        expect(await found({ keys: [{ name: 'ward', value: '739' }] })).toEqual([]);
        await store.transact(({ messages }) => messages.purge(9000, ['dead'], 10, 'adt'));
        expect(await found({ keys: [patient] })).toEqual(['m3', 'm2', 'm1']);
        await store.transact(({ messages }) => messages.purge(9000, ['dead'], 10, 'lab'));
        expect(await found({ keys: [patient] })).toEqual(['m2', 'm1']);
      }),
    );

    test(
      'the body can be let go of, what is known about the message stays',
      withStore(open, async (store) => {
        await keepAll(store, [record('m'), record('n')]);
        await act(store, async (messages) => {
          for (const id of ['m', 'n']) await messages.keepMapped(id, bytes);
          await messages.dropBody('m');
        });
        expect([await store.messages.raw('m'), await store.messages.mapped('m')]).toEqual([
          undefined,
          undefined,
        ]);
        expect([await store.messages.raw('n'), await store.messages.mapped('n')]).toEqual([bytes, bytes]);
        expect(await store.messages.message('m')).toEqual(record('m'));
      }),
    );

    test(
      'channels that are held are passed over',
      withStore(open, async (store) => {
        await keepAll(store, [record('a'), record('b', { channel: 'adt' })]);
        expect(ids(await store.messages.dueMessages(1000, 10, ['lab', 'xray']))).toEqual(['b']);
      }),
    );

    test(
      'tallies count for each channel and destination, and know the oldest and the newest',
      withStore(open, async (store) => {
        await keepAll(store, [
          record('a', { receivedAt: 1 }),
          record('b', { receivedAt: 2, state: 'dead' }),
          record('c', { channel: 'lab/2', receivedAt: 3, state: 'processed' }),
        ]);
        await enqueueAll(store, [
          delivery('d1', { createdAt: 5 }),
          delivery('d2', { destination: 'flow:x', lane: 'x' }),
        ]);
        const { channels, destinations } = await store.messages.tallies();
        expect(channels['lab']).toMatchObject({ oldestReceivedAt: 1, newestAt: 2 });
        expect(channels['lab']?.messages).toEqual({
          received: 1,
          processed: 0,
          'set-aside': 0,
          dead: 1,
          discarded: 0,
        });
        expect(channels['lab/2']).toMatchObject({ oldestReceivedAt: undefined, newestAt: 3 });
        expect(destinations['send:his']).toMatchObject({
          oldestWaitingAt: 5,
          deliveries: { waiting: 1, done: 0 },
        });
        expect(Object.keys(destinations).sort()).toEqual(['flow:x', 'send:his']);
      }),
    );

    test(
      'the newest of a channel and state can be counted down to',
      withStore(open, async (store) => {
        await keepAll(
          store,
          [1, 2, 3].map((at) => record(`m${at}`, { receivedAt: at })),
        );
        const at = (count: number) =>
          store.transact(({ messages }) => messages.nthNewest('lab', 'received', count));
        expect([await at(1), await at(3), await at(4)]).toEqual([3, 1, undefined]);
      }),
    );

    test(
      'the census of an empty store is all zero',
      withStore(open, async (store) => {
        const census = await store.messages.census();
        expect(
          [...Object.values(census.messages), ...Object.values(census.deliveries)].every((n) => n === 0),
        ).toBe(true);
        expect([census.oldestReceivedAt, census.oldestWaitingAt]).toEqual([undefined, undefined]);
      }),
    );
  });

  deliveriesContract(name, open);
}

function deliveriesContract(name: string, open: OpenStore): void {
  describe(`${name}: deliveries`, () => {
    test(
      'an enqueued delivery waits, due at once',
      withStore(open, async (store) => {
        await enqueueAll(store, [delivery('d')]);
        expect(await store.messages.delivery('d')).toEqual({
          ...delivery('d'),
          state: 'waiting',
          attempts: 0,
          dueAt: 1000,
          leasedUntil: 0,
          lease: undefined,
          reason: undefined,
        });
        await expect(enqueueAll(store, [delivery('d')])).rejects.toMatchObject({ code: 'conflict' });
      }),
    );

    test(
      'of each lane only the oldest is leased, and the next only after it is settled',
      withStore(open, async (store) => {
        await enqueueAll(store, [
          delivery('a1'),
          delivery('a2'),
          delivery('b1', { lane: 'b' }),
          delivery('a3'),
        ]);
        const leased = await leaseAt(store, 1000);
        expect(ids(leased)).toEqual(['a1', 'b1']);
        expect(leased[0]).toMatchObject({ state: 'leased', attempts: 1, leasedUntil: 1500, payload: bytes });
        expect(leased[0]?.lease).not.toBe(leased[1]?.lease);
        expect(await leaseAt(store, 1000)).toEqual([]);
        await settle(store, leased[0], { state: 'done' });
        expect(ids(await leaseAt(store, 1000))).toEqual(['a2']);
        expect(await store.messages.delivery('a1')).toMatchObject({ state: 'done', lease: undefined });
      }),
    );

    test.each([
      [['send:his'], ['his-1']],
      [['send:*'], ['his-1', 'lis-1']],
      [
        ['flow:*', 'send:lis'],
        ['lis-1', 'ward-1'],
      ],
      [['*'], ['his-1', 'lis-1', 'ward-1']],
      [['send:h'], []],
      [['sms:*'], []],
    ])('destinations %j lease %j', (destinations, expected) =>
      withStore(open, async (store) => {
        await enqueueAll(store, [
          delivery('his-1'),
          delivery('lis-1', { destination: 'send:lis', lane: 'lis' }),
          delivery('ward-1', { destination: 'flow:ward', lane: 'ward' }),
        ]);
        expect([...ids(await leaseAt(store, 1000, { destinations }))].sort()).toEqual(expected);
      })(),
    );

    test(
      'no more than the limit are leased, the longest waiting first',
      withStore(open, async (store) => {
        const lanes = [7, 5, 9, 6].map((at) => delivery(`d${at}`, { lane: `l${at}`, createdAt: at }));
        await enqueueAll(store, lanes);
        expect(ids(await leaseAt(store, 1000, { limit: 3 }))).toEqual(['d5', 'd6', 'd7']);
      }),
    );

    test(
      'a delivery put off holds its lane until its time',
      withStore(open, async (store) => {
        await enqueueAll(store, [delivery('a1'), delivery('a2')]);
        const [leased] = await leaseAt(store, 1000);
        await settle(store, leased, { state: 'waiting', dueAt: 3000, reason });
        expect(await store.messages.delivery('a1')).toMatchObject({
          state: 'waiting',
          dueAt: 3000,
          reason,
          attempts: 1,
        });
        expect(await leaseAt(store, 2999)).toEqual([]);
        expect(await leaseAt(store, 3000)).toMatchObject([{ id: 'a1', attempts: 2 }]);
      }),
    );

    test(
      'an expired lease is given to the next who asks, and its former holder can no longer settle it',
      withStore(open, async (store) => {
        await enqueueAll(store, [delivery('a1'), delivery('a2')]);
        const [former] = await leaseAt(store, 1000);
        expect(await leaseAt(store, 1499)).toEqual([]);
        const [present] = await leaseAt(store, 1500);
        expect(present).toMatchObject({ id: 'a1', attempts: 2 });
        await expect(settle(store, former, { state: 'done' })).rejects.toMatchObject({ code: 'conflict' });
        await settle(store, present, { state: 'done' });
        await expect(settle(store, present, { state: 'done' })).rejects.toMatchObject({ code: 'conflict' });
      }),
    );

    test(
      'an expired lease that the asker says to be under way is prolonged: no further try, but a lease anew',
      withStore(open, async (store) => {
        await enqueueAll(store, [delivery('a1'), delivery('a2')]);
        const runs = { 'send:his': 2 };
        const taken = await leaseAt(store, 1000, { runs });
        const underWay = new Map(taken.map(({ id, lease = '' }) => [id, lease]));
        const prolonged = await leaseAt(store, 1500, { runs, underWay });
        expect(prolonged.map(({ id, attempts }) => [id, attempts])).toEqual([
          ['a1', 1],
          ['a2', 1],
        ]);
        expect(await leaseAt(store, 1999, { underWay })).toEqual([]);
        await expect(settle(store, taken[0], { state: 'done' })).rejects.toMatchObject({ code: 'conflict' });
        // An old lease is nobody's word.
        expect(await leaseAt(store, 2000, { underWay })).toMatchObject([{ id: 'a1', attempts: 2 }]);
      }),
    );

    test(
      'a dead delivery frees its lane; put back it is again the first of it, with its tries counted anew',
      withStore(open, async (store) => {
        await enqueueAll(store, [delivery('a1'), delivery('a2')]);
        const [first] = await leaseAt(store, 1000);
        await settle(store, first, { state: 'dead', reason });
        expect(await store.messages.delivery('a1')).toMatchObject({ state: 'dead', reason });
        await act(store, (messages) => messages.requeue('a1', 1200));
        expect(await leaseAt(store, 1199)).toEqual([]);
        const [again] = await leaseAt(store, 1200);
        expect(again).toMatchObject({ id: 'a1', attempts: 1, reason: undefined });
        await expect(settle(store, first, { state: 'done' })).rejects.toMatchObject({ code: 'conflict' });
      }),
    );

    test.each<[rule: string, second: Partial<NewDelivery>, most: number, expected: readonly string[]]>([
      ['as many as its destination takes', {}, 3, ['a1', 'a2', 'a3', 'b1']],
      ['no more than are told', {}, 2, ['a1', 'a2', 'b1']],
      ['none that is not due yet, nor what is behind it', { createdAt: 1001 }, 3, ['a1', 'b1']],
      ['none of another destination', { destination: 'send:lis' }, 3, ['a1', 'b1']],
      ['no more bytes than 1 MB', { payload: new Uint8Array(1024 * 1024) }, 3, ['a1', 'b1']],
    ])('what is behind the head of a lane is leased with it: %s', (_rule, second, most, expected) =>
      withStore(open, async (store) => {
        await enqueueAll(store, [
          delivery('a1'),
          delivery('a2', second),
          delivery('a3'),
          delivery('b1', { lane: 'b' }),
        ]);
        const leased = await leaseAt(store, 1000, { runs: { 'send:his': most } });
        expect(ids(leased)).toEqual(expected);
        expect(await leaseAt(store, 1000, { runs: { 'send:his': most } })).toEqual([]);
      })(),
    );

    test(
      'what was leased and not tried waits behind the one that failed, and its try is not counted',
      withStore(open, async (store) => {
        await enqueueAll(store, [delivery('a1'), delivery('a2'), delivery('a3')]);
        const [first, second, third] = await leaseAt(store, 1000, { runs: { 'send:his': 9 } });
        await settle(store, first, { state: 'waiting', dueAt: 3000, reason });
        await settle(store, second, { state: 'untried' });
        await settle(store, third, { state: 'untried' });
        expect(await store.messages.delivery('a2')).toMatchObject({ state: 'waiting', attempts: 0 });
        expect(await leaseAt(store, 2999)).toEqual([]);
        expect(ids(await leaseAt(store, 3000, { runs: { 'send:his': 9 } }))).toEqual(['a1', 'a2', 'a3']);
      }),
    );

    test(
      'what a crash left leased is leased again in order, once the leases have run out',
      withStore(open, async (store) => {
        await enqueueAll(store, [delivery('a1'), delivery('a2'), delivery('a3')]);
        await leaseAt(store, 1000, { runs: { 'send:his': 2 } });
        expect(await leaseAt(store, 1499)).toEqual([]);
        const again = await leaseAt(store, 1500, { runs: { 'send:his': 9 } });
        expect(again.map(({ id, attempts }) => [id, attempts])).toEqual([
          ['a1', 2],
          ['a2', 2],
          ['a3', 1],
        ]);
      }),
    );

    test(
      'a delivery put back does not overtake what is leased together in its lane, and is the first after it',
      withStore(open, async (store) => {
        await enqueueAll(store, [delivery('a1'), delivery('a2'), delivery('a3'), delivery('a4')]);
        await settle(store, (await leaseAt(store, 1000))[0], { state: 'dead', reason });
        const leased = await leaseAt(store, 1000, { runs: { 'send:his': 2 } });
        await act(store, (messages) => messages.requeue('a1', 1000));
        expect(await leaseAt(store, 1000)).toEqual([]);
        await act(store, async (messages) => {
          for (const { id, lease = '' } of leased) await messages.settle(id, lease, { state: 'done' });
        });
        expect(ids(await leaseAt(store, 1000, { runs: { 'send:his': 2 } }))).toEqual(['a1', 'a4']);
      }),
    );

    test(
      'a delivery put back does not overtake the one that is leased in its lane',
      withStore(open, async (store) => {
        await enqueueAll(store, [delivery('a1'), delivery('a2'), delivery('a3')]);
        await settle(store, (await leaseAt(store, 1000))[0], { state: 'dead', reason });
        const [second] = await leaseAt(store, 1000);
        expect(second?.id).toBe('a2');
        await act(store, (messages) => messages.requeue('a1', 1000));
        expect(await leaseAt(store, 1000)).toEqual([]);
        await settle(store, second, { state: 'done' });
        expect(ids(await leaseAt(store, 1000))).toEqual(['a1']);
      }),
    );

    test(
      'what waits can be discarded, what is leased can not, and its lane goes on',
      withStore(open, async (store) => {
        await enqueueAll(store, [delivery('a1'), delivery('a2')]);
        const [leased] = await leaseAt(store, 1000);
        const discard = (id: string): Promise<void> =>
          act(store, (messages) => messages.discardDelivery(id, reason));
        await expect(discard('a1')).rejects.toMatchObject({ code: 'conflict' });
        await settle(store, leased, { state: 'waiting', dueAt: 9000, reason });
        await discard('a1');
        expect(await store.messages.delivery('a1')).toMatchObject({ state: 'discarded', reason });
        expect(ids(await leaseAt(store, 1000))).toEqual(['a2']);
        await expect(discard('x')).rejects.toMatchObject({ code: 'not-found' });
      }),
    );

    test(
      'only what has left the queue is put back',
      withStore(open, async (store) => {
        await enqueueAll(store, [delivery('a1')]);
        const requeue = (id: string): Promise<void> => act(store, (messages) => messages.requeue(id, 0));
        await expect(requeue('a1')).rejects.toMatchObject({ code: 'conflict' });
        await expect(requeue('x')).rejects.toMatchObject({ code: 'not-found' });
      }),
    );

    test.each([
      [{}, ['d1', 'd2', 'd3'], 3],
      [{ destination: 'send:his' }, ['d1', 'd3'], 2],
      [{ state: 'leased' as const }, ['d1'], 1],
      [{ cause: 'm2' }, ['d3'], 1],
      [{ limit: 1, offset: 1 }, ['d2'], 3],
    ])('deliveries that fit %j, oldest first', (filter, expected, total) =>
      withStore(open, async (store) => {
        await enqueueAll(store, [
          delivery('d1'),
          delivery('d2', { destination: 'send:lis', lane: 'lis' }),
          delivery('d3', { cause: 'm2' }),
        ]);
        await leaseAt(store, 1000);
        const listed = await store.messages.deliveries({ limit: 10, offset: 0, ...filter });
        expect({ ids: ids(listed.items), total: listed.total }).toEqual({ ids: expected, total });
      })(),
    );

    const large = new Uint8Array(100_000).fill(7);

    test(
      'a large payload is handed out whole and again; lists say how large it is',
      withStore(open, async (store) => {
        await enqueueAll(store, [delivery('d1', { payload: large }), delivery('d2', { lane: 'other' })]);
        const leased = await leaseAt(store, 1000);
        expect(leased[0]).toMatchObject({ id: 'd1', payload: large });
        await act(store, (messages) =>
          messages.settle('d1', leased[0]!.lease!, { state: 'waiting', dueAt: 1000, reason }),
        );
        expect((await leaseAt(store, 2000))[0]).toMatchObject({ id: 'd1', payload: large });
        expect((await store.messages.delivery('d1'))?.payload).toEqual(large);
        const { items } = await store.messages.deliveries({ limit: 10, offset: 0 });
        expect(items.map(({ id, size }) => [id, size])).toEqual([
          ['d1', large.byteLength],
          ['d2', bytes.byteLength],
        ]);
      }),
    );

    test(
      'a large response is there for whoever opens the delivery, until another one comes',
      withStore(open, async (store) => {
        await enqueueAll(store, [delivery('d1')]);
        const answered = async (now: number, response: Uint8Array): Promise<Uint8Array | undefined> => {
          const [leased] = await leaseAt(store, now);
          const settlement = { state: 'waiting', dueAt: now, reason } as const;
          await act(store, (messages) =>
            messages.settle('d1', leased?.lease ?? '', {
              ...settlement,
              response: { contentType: 'text/plain', bytes: response },
            }),
          );
          return (await store.messages.delivery('d1'))?.response?.bytes;
        };
        const other = new Uint8Array(50_000).fill(8);
        expect(await answered(1000, large)).toEqual(large);
        expect(await answered(2000, other)).toEqual(other);
        expect(await answered(3000, bytes)).toEqual(bytes);
        const { items } = await store.messages.deliveries({ limit: 10, offset: 0 });
        expect(items[0]?.response).toEqual({ contentType: 'text/plain', bytes });
      }),
    );
  });
}
