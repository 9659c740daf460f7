// What operators do and see: replays as jobs, sending again, alerts, live counts.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { alertMemory } from '../../../engine/app/alert-memory.ts';
import { concern, type Concern } from '../../../engine/messages/alert.ts';
import { createAlerts, type AlertChange, type Alerts } from '../../../engine/messages/alerts.ts';
import type { ChannelDefinition } from '../../../engine/messages/channels/channel.ts';
import { compileChannel } from '../../../engine/messages/channels/compile-channel.ts';
import { createDeadLetters } from '../../../engine/messages/dead-letters.ts';
import { createLive } from '../../../engine/messages/live.ts';
import type { DestinationState } from '../../../engine/messages/destinations.ts';
import { createReplays, type Replays } from '../../../engine/messages/replays.ts';
import { createResend, type Resend } from '../../../engine/messages/resend.ts';
import { administrator, arrivalOf, hl7, openHouse, until, type House } from './house.ts';
import { wholeDeliveries } from '../../support/deliveries.ts';

let house: House;
beforeEach(async () => {
  house = await openHouse();
});
afterEach(() => house.close());

const channel: ChannelDefinition = {
  name: 'lab',
  source: { kind: 'http' },
  storage: 'all',
  destinations: [
    { name: 'lis', to: { kind: 'file', folder: 'x' }, when: [{ path: 'OBR-3', is: 'nothing' }] },
    {
      name: 'fhir',
      to: { kind: 'file', folder: 'x' },
      body: 'fhir',
      when: [{ path: 'OBR-3', is: 'nothing' }],
    },
  ],
};
const settingsOf = (name: string) => compileChannel({ ...channel, name });

async function given(count: number, value = '2.78'): Promise<void> {
  const inbox = house.inbox({ settingsOf });
  for (let at = 1; at <= count; at += 1) {
    await inbox.receive(arrivalOf(hl7({ controlId: `${value}-${at}`, specimen: `S${at}`, value })));
    house.clock.advance(1_000);
  }
  const processor = house.processor({ settingsOf });
  processor.start();
  await until(async () => !Object.values(await house.states()).includes('received'));
  await processor.stop();
}

describe('replays', () => {
  let replays: Replays;
  let newReplays: () => Replays;
  let resend: Resend;
  beforeEach(() => {
    const deadLetters = createDeadLetters({
      ...house,
      wake: () => undefined,
      wakeDeliveries: () => undefined,
    });
    resend = createResend({ ...house, settingsOf });
    newReplays = () =>
      createReplays({
        ...house,
        messages: house.store.messages,
        jobs: house.store.jobs,
        deadLetters,
        resend,
      });
    replays = newReplays();
  });
  afterEach(() => replays.stop());

  test('one that a stop interrupts goes on after the next start, each message once, and is remembered when it has ended', async () => {
    await given(6);
    const filter = { state: 'processed' } as const;
    const { id } = await replays.begin({ filter, destinations: [], perSecond: 20 }, administrator);
    await until(() => replays.job(id).replayed >= 2);
    await replays.stop();
    const before = replays.job(id).replayed;
    expect(before).toBeLessThan(6);
    expect(replays.job(id).state).toBe('running');
    replays = newReplays();
    await replays.start();
    expect(replays.job(id)).toMatchObject({ state: 'running', total: 6, replayed: before });
    await until(() => replays.job(id).state === 'done');
    expect(replays.job(id)).toMatchObject({ replayed: 6, refused: {} });
    expect(Object.values(await house.states())).toEqual(Array.from({ length: 6 }, () => 'received'));
    replays = newReplays();
    await replays.start();
    expect(replays.jobs()).toMatchObject([{ id, state: 'done', replayed: 6, by: 'amina' }]);
    expect(await house.store.jobs.jobs({ name: 'replay-plan' })).toEqual([]);
  });

  test('what a search finds waits again, whatever became of it, and the job tells how far it is', async () => {
    await given(3);
    await given(2, 'BAD');
    const job = await replays.begin(
      { filter: { state: 'dead' }, destinations: [], perSecond: 1_000 },
      administrator,
    );
    expect(job).toMatchObject({ state: 'running', total: 2, by: 'amina' });
    await until(() => replays.job(job.id).state === 'done');
    expect(replays.job(job.id)).toMatchObject({ replayed: 2, refused: {}, endedAt: house.clock.now() });
    const states = Object.entries(await house.states());
    expect(
      states
        .filter(([, state]) => state === 'received')
        .map(([id]) => id)
        .sort(),
    ).toEqual(['BAD-1', 'BAD-2']);
  });

  test('to chosen destinations it is sent again in the order of arrival, and not processed', async () => {
    await given(3);
    const destinations = ['lab.lis', 'lab.fhir'];
    const { id } = await replays.begin(
      { filter: { channel: 'lab' }, destinations, perSecond: 1_000 },
      administrator,
    );
    await until(() => replays.job(id).state === 'done');
    const sent = await wholeDeliveries(house.store.messages, { destination: 'send:lab.lis' });
    expect(sent.map(({ payload }) => /2\.78-\d/.exec(Buffer.from(payload).toString())?.[0])).toEqual([
      '2.78-1',
      '2.78-2',
      '2.78-3',
    ]);
    const bundles = await wholeDeliveries(house.store.messages, { destination: 'send:lab.fhir' });
    expect(JSON.parse(Buffer.from(bundles[0]!.payload).toString())).toMatchObject({
      resourceType: 'Bundle',
    });
    expect(new Set(Object.values(await house.states()))).toEqual(new Set(['processed']));
  });

  test('to chosen destinations it is sent once, though a power cut took the progress of the last second', async () => {
    await given(4);
    const request = { filter: { channel: 'lab' }, destinations: ['lab.lis'], perSecond: 20 };
    const { id } = await replays.begin(request, administrator);
    const begun = await house.store.jobs.jobs({ id });
    const sent = async (): Promise<number> => {
      const { items } = await house.store.messages.deliveries({
        ...{ destination: 'send:lab.lis', limit: 9, offset: 0 },
      });
      return items.length;
    };
    await until(async () => (await sent()) === 2);
    await replays.stop();
    for (const row of begun) await house.store.jobs.save(row);
    replays = newReplays();
    await replays.start();
    expect(replays.job(id).replayed).toBe(0);
    await until(() => replays.job(id).state === 'done');
    expect([replays.job(id).replayed, await sent()]).toEqual([4, 4]);
    const again = await replays.begin({ ...request, perSecond: 1_000 }, administrator);
    await until(() => replays.job(again.id).state === 'done');
    expect(await sent()).toBe(8);
  });

  test('what refuses is counted by its code, and the others go on', async () => {
    await given(1);
    await house.inbox().receive(arrivalOf(hl7({ controlId: 'waiting' })));
    const { id } = await replays.begin(
      { filter: { channel: 'lab' }, destinations: [], perSecond: 1_000 },
      administrator,
    );
    await until(() => replays.job(id).state === 'done');
    expect(replays.job(id)).toMatchObject({ total: 2, replayed: 1, refused: { conflict: 1 } });
  });

  test('it is throttled, and ends when it is cancelled', async () => {
    await given(5);
    const { id } = await replays.begin(
      { filter: { channel: 'lab' }, destinations: [], perSecond: 5 },
      administrator,
    );
    await until(() => replays.job(id).replayed === 2);
    replays.cancel(id);
    await until(() => replays.job(id).state === 'cancelled');
    expect(replays.job(id).replayed).toBeLessThan(5);
  });

  test('a destination that is not of the channel is refused', async () => {
    await given(1);
    const [message] = await house.messages();
    await expect(resend(message!.id, ['lab.nobody'], administrator)).rejects.toMatchObject({
      code: 'bad-request',
    });
  });
});

describe('alerts', () => {
  const minute = 60_000;
  const state = (change: Partial<DestinationState> = {}): DestinationState => ({
    ...{ circuit: 'closed', failures: 0, isHeld: false, underWay: 0 },
    ...change,
  });
  let told: AlertChange[][];
  let destinations: Record<string, DestinationState>;
  let failing = false;

  const alertsOf = (
    rules: ChannelDefinition['alerts'],
    concerns: () => readonly Concern[] = () => [],
  ): Alerts => {
    told = [];
    destinations = {};
    failing = false;
    return createAlerts({
      ...house,
      messages: house.store.messages,
      channels: () => [{ ...channel, ...(rules === undefined ? {} : { alerts: rules }) }],
      destinations: () => destinations,
      concerns,
      except: ['alerts'],
      tell: async (changes) => {
        if (failing) throw new Error('disk full');
        told.push([...changes]);
      },
      memory: alertMemory(house.store.jobs),
      gapMs: minute,
    });
  };
  const lines = (): readonly string[][] =>
    told.map((changes) => changes.map(({ change, alert }) => `${change} ${alert.code} ${alert.subject}`));

  const happenings: readonly (readonly [
    string,
    NonNullable<ChannelDefinition['alerts']>,
    () => Promise<unknown>,
  ])[] = [
    [
      'silence',
      { silenceMinutes: 10 },
      async () => {
        house.clock.advance(10 * minute);
      },
    ],
    [
      'waiting-long',
      { oldestMinutes: 5 },
      async () => {
        await house.inbox().receive(arrivalOf(hl7()));
        house.clock.advance(5 * minute);
      },
    ],
    ['queue-long', { queueLength: 1 }, () => house.inbox().receive(arrivalOf(hl7()))],
    ['many-dead', { deadPerHour: 2 }, () => given(2, 'BAD')],
    [
      'error-rate',
      { errorPercent: 20 },
      async () => {
        await given(8);
        await given(2, 'BAD');
      },
    ],
  ];
  test.each(happenings)('%s', async (code, rules, happens) => {
    const alerts = alertsOf(rules);
    await alerts.look();
    expect(alerts.current()).toEqual([]);
    await happens();
    await alerts.look();
    expect(lines()).toEqual([[`raised ${code} lab`]]);
  });

  test('retries that are used up, until a person has looked', async () => {
    const alerts = alertsOf(undefined);
    destinations = { 'lab.lis': state({}) };
    const lane = 'send:lab.lis';
    const delivery = { id: 'd', destination: lane, lane, createdAt: house.clock.now(), cause: 'm' };
    const reason = { code: 'hl7-answer-timeout', text: 'no acknowledgement came in time' };
    await house.store.transact(async ({ messages }) => {
      await messages.enqueue({ ...delivery, contentType: 'text/plain', payload: Buffer.from('x') });
      await messages.parkDelivery('d', reason);
    });
    await alerts.look();
    await house.store.transact(({ messages }) => messages.discardDelivery('d', reason));
    house.clock.advance(minute);
    await alerts.look();
    expect(lines()).toEqual([['raised retries-used-up lab.lis'], ['over retries-used-up lab.lis']]);
  });

  test('what a part says of itself stands as long as it says so', async () => {
    let concerns = [concern('connection-lost', 'partner', 'no connection to the SFTP server')];
    const alerts = alertsOf(undefined, () => concerns);
    await alerts.look();
    concerns = [];
    house.clock.advance(minute);
    await alerts.look();
    expect(lines()).toEqual([['raised connection-lost partner'], ['over connection-lost partner']]);
  });

  const waits = async (name: string): Promise<void> => {
    const lane = `send:${name}`;
    const delivery = { id: name, destination: lane, lane, createdAt: house.clock.now(), cause: 'm' };
    const content = { contentType: 'text/plain', payload: Buffer.from('x') };
    await house.store.transact(({ messages }) => messages.enqueue({ ...delivery, ...content }));
  };

  test.each<[rule: string, change: Partial<DestinationState>, hasWaiting: boolean, expected: string[][]]>([
    [
      'has answered nothing for ten seconds and more waits',
      { failures: 1 },
      true,
      [['raised connection-lost lis']],
    ],
    ['has answered nothing, but nothing waits', { failures: 1 }, false, []],
    [
      'has an open circuit, though nothing waits',
      { failures: 5, circuit: 'open' },
      false,
      [['raised connection-lost lis']],
    ],
  ])('a destination that %s', async (_, change, hasWaiting, expected) => {
    const alerts = alertsOf(undefined);
    if (hasWaiting) await waits('lis');
    const failingSince = house.clock.now();
    destinations = { lis: state({ ...change, failingSince }) };
    house.clock.advance(9_999);
    if (change.circuit !== 'open') {
      await alerts.look();
      expect(alerts.current()).toEqual([]);
    }
    house.clock.advance(1);
    await alerts.look();
    expect(lines()).toEqual(expected);
  });

  describe('over a restart', () => {
    test('what stands keeps its time, and is not told anew', async () => {
      const first = alertsOf({ queueLength: 1, silenceMinutes: 10 });
      await house.inbox().receive(arrivalOf(hl7()));
      house.clock.advance(10 * minute);
      await first.look();
      const since = house.clock.now();
      expect(lines()).toEqual([['raised silence lab', 'raised queue-long lab']]);
      house.clock.advance(5_000);
      const second = alertsOf({ queueLength: 1, silenceMinutes: 10 });
      await second.start();
      await second.stop();
      expect(second.current()).toMatchObject([
        { code: 'silence', since },
        { code: 'queue-long', since },
      ]);
      house.clock.advance(10 * minute);
      await second.look();
      expect([lines(), second.current().map((alert) => alert.since)]).toEqual([[], [since, since]]);
    });

    test('what was not told before is told after it, and nothing within the gap', async () => {
      const first = alertsOf({ queueLength: 1 });
      await house.inbox().receive(arrivalOf(hl7()));
      await first.look();
      destinations = { lis: state({ isHeld: true }) };
      await first.look();
      const held = destinations;
      const second = alertsOf({ queueLength: 1 });
      destinations = held;
      await second.look();
      expect(lines()).toEqual([]);
      house.clock.advance(minute);
      await second.look();
      expect(lines()).toEqual([['raised held lis']]);
    });

    test('a destination that could not be reached stands until it has answered or nothing waits', async () => {
      const first = alertsOf(undefined);
      await waits('lis');
      destinations = { lis: state({ circuit: 'open', failures: 5 }) };
      await first.look();
      house.clock.advance(minute);
      const second = alertsOf(undefined);
      destinations = { lis: state() };
      house.clock.advance(60 * minute);
      await second.look();
      expect(lines()).toEqual([]);
      destinations = { lis: state({ answeredAt: house.clock.now() }) };
      await second.look();
      expect(lines()).toEqual([['over connection-lost lis']]);
    });

    test('what a part has not had time to say is over only some minutes later', async () => {
      const first = alertsOf(undefined, () => [concern('connection-lost', 'partner', 'no connection')]);
      await first.look();
      house.clock.advance(minute);
      const second = alertsOf(undefined);
      await second.look();
      house.clock.advance(minute);
      await second.look();
      expect(lines()).toEqual([]);
      house.clock.advance(minute);
      await second.look();
      expect(lines()).toEqual([['over connection-lost partner']]);
    });
  });

  test('each is told once when it begins and once when it is over, together with what happens meanwhile', async () => {
    const alerts = alertsOf(undefined);
    destinations = { 'lab.lis': state({ circuit: 'open', failures: 5 }), alerts: state({ circuit: 'open' }) };
    await alerts.look();
    await alerts.look();
    destinations = { 'lab.lis': state({ isHeld: true }) };
    await alerts.look();
    expect(lines()).toEqual([['raised connection-lost lab.lis']]);
    house.clock.advance(minute);
    await alerts.look();
    expect(lines()[1]?.toSorted()).toEqual(['over connection-lost lab.lis', 'raised held lab.lis']);
  });

  test('what could not be told is told later; what was over by then is not', async () => {
    const alerts = alertsOf(undefined);
    failing = true;
    destinations = { a: state({ isHeld: true }), b: state({ isHeld: true }) };
    await expect(alerts.look()).rejects.toThrow('disk full');
    failing = false;
    destinations = { a: state({ isHeld: true }) };
    await alerts.look();
    expect(lines()).toEqual([['raised held a']]);
  });
});

describe('live counts', () => {
  test('a watcher gets all at once, then what changes, until it is stopped; nobody looks when nobody watches', async () => {
    let looks = 0;
    let count = 1;
    const live = createLive({
      ...house,
      look: async () => {
        looks += 1;
        return { counts: { count } };
      },
      refuse: () => new Error('too many'),
      everyMs: 5,
      mostWatchers: 1,
    });
    expect(looks).toBe(0);
    const watcher = live.watch()[Symbol.asyncIterator]();
    expect(() => live.watch()).toThrow('too many');
    expect((await watcher.next()).value).toBe('event: counts\ndata: {"count":1}\n\n');
    count = 2;
    expect((await watcher.next()).value).toContain('{"count":2}');
    const end = watcher.next();
    live.stop();
    expect((await end).done).toBe(true);
    const after = looks;
    await new Promise((wait) => setTimeout(wait, 30));
    expect(looks - after).toBeLessThanOrEqual(1);
  });
});
