// The timer over the real inbox and store: a message at each of its times, none doubled, the last missed one made up for.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { compileTemplate } from '../../../adapters/timer/template.ts';
import { createTimer, isTimerPeer, type Timer, type TimerOptions } from '../../../adapters/timer/timer.ts';
import { timerMemory } from '../../../engine/app/timer-memory.ts';
import { readSchedule } from '../../../engine/jobs/schedule.ts';
import { silentLogger } from '../../../engine/kernel/logger.ts';
import { openHouse, until, type House } from '../../engine/messages/house.ts';

const body = 'MSH|^~\\&|KIUNGO||LAB||{time:hl7}||QRY^Q01|{id}|P|2.3.1\nQRD|{time:hl7}|R|I|{id}\n';

describe('the body', () => {
  test.each([
    ['Africa/Nairobi', '20261121183005+0300', '2026-11-21T18:30:05+03:00', '2026-11-21'],
    ['UTC', '20261121153005+0000', '2026-11-21T15:30:05+00:00', '2026-11-21'],
    ['Pacific/Auckland', '20261122043005+1300', '2026-11-22T04:30:05+13:00', '2026-11-22'],
    ['America/St_Johns', '20261121120005-0330', '2026-11-21T12:00:05-03:30', '2026-11-21'],
  ])('the time in %s', (timeZone, hl7, iso, date) => {
    const render = compileTemplate('{time:hl7} {time} {date} {id} {"a":{}}', {
      timeZone,
      mediaType: 'application/json',
    });
    const text = render(Date.parse('2026-11-21T15:30:05Z'));
    expect(text).toBe(`${hl7} ${iso} ${date} T20261121153005 {"a":{}}`);
  });

  test('lines of HL7 v2 end as the standard has it', () => {
    const render = compileTemplate(body, { timeZone: 'UTC', mediaType: 'application/hl7-v2' });
    expect(render(0)).toMatch(/2\.3\.1\rQRD\|19700101000000\+0000\|R\|I\|T19700101000000\r$/);
  });
});

describe('the timer', () => {
  let house: House;
  let timer: Timer | undefined;
  beforeEach(async () => {
    house = await openHouse();
  });
  afterEach(async () => {
    await timer?.stop();
    await house.close();
  });

  async function running(change: Partial<TimerOptions> = {}): Promise<void> {
    timer = createTimer({
      ...{ inbox: house.inbox(), channel: 'poll', clock: house.clock, logger: silentLogger, body },
      ...{ timeZone: 'Africa/Nairobi', mediaType: 'application/hl7-v2', longestWaitMs: 5 },
      schedule: readSchedule({ cron: '0 * * * *' }, 'Africa/Nairobi'),
      lastPeer: async () => (await house.messages()).find(({ peer }) => isTimerPeer(peer))?.peer,
      remember: async () => undefined,
      ...change,
    });
    await timer.start();
  }
  const hour = 3_600_000;
  const kept = async (): Promise<readonly string[]> =>
    (await house.messages()).map(({ controlId }) => controlId).sort();
  const rest = (): Promise<void> => new Promise((done) => setTimeout(done, 40));

  test('a message at each time; nothing is owed to anybody', async () => {
    await running();
    await rest();
    // It is noon exactly when it is begun: that time was nobody's yet.
    expect(await kept()).toEqual([]);
    for (const count of [1, 2, 3]) {
      house.clock.advance(hour);
      await until(async () => (await kept()).length === count);
    }
    expect(await kept()).toEqual(['T20261121130000', 'T20261121140000', 'T20261121150000']);
    const [message] = await house.messages();
    expect(message).toMatchObject({
      channel: 'poll',
      peer: 'timer:2026-11-21T15:00:00.000Z',
      state: 'received',
      messageType: 'QRY^Q01',
      acknowledgement: 'not-owed',
    });
  });

  test('a restart doubles nothing, and of all the times that went by makes up for the last', async () => {
    await running();
    house.clock.advance(hour);
    await until(async () => (await kept()).length === 1);
    await timer!.stop();
    await running();
    await rest();
    expect(await kept()).toEqual(['T20261121130000']);
    await timer!.stop();
    house.clock.advance(5.5 * hour);
    await running();
    await until(async () => (await kept()).length === 2);
    await rest();
    expect(await kept()).toEqual(['T20261121130000', 'T20261121180000']);
  });

  test('it is known when it was last due, though retention has purged what it made', async () => {
    const memory = timerMemory(house.store.jobs, house.store.messages);
    const remembering = {
      lastPeer: () => memory.lastPeer('poll'),
      remember: (peer: string) => memory.remember('poll', peer),
    };
    expect(await memory.lastPeer('poll')).toBeUndefined();
    await running(remembering);
    house.clock.advance(hour);
    await until(async () => (await memory.lastPeer('poll')) === 'timer:2026-11-21T13:00:00.000Z');
    await timer!.stop();
    house.clock.advance(1.5 * hour);
    await house.store.transact(({ messages }) => messages.purge(house.clock.now(), ['received'], 10));
    expect(await kept()).toEqual([]);
    expect(await memory.lastPeer('another')).toBeUndefined();
    await running(remembering);
    await until(async () => (await kept()).length === 1);
    expect(await kept()).toEqual(['T20261121140000']);
  });

  test('a cut right after it was kept: the same time again is the same message', async () => {
    const inbox = house.inbox();
    let cuts = 2;
    await running({
      inbox: {
        receive: async (arrival) => {
          const receipt = await inbox.receive(arrival);
          if ((cuts -= 1) >= 0) throw new Error('cut');
          return receipt;
        },
      },
    });
    house.clock.advance(hour);
    await until(() => timer!.problem() === 'cut');
    await until(() => timer!.problem() === undefined);
    expect(await kept()).toEqual(['T20261121130000']);
  });

  test('a clock that is set back makes none twice', async () => {
    await running();
    house.clock.advance(hour);
    await until(async () => (await kept()).length === 1);
    house.clock.advance(-hour);
    await rest();
    house.clock.advance(hour);
    await rest();
    expect(await kept()).toHaveLength(1);
  });
});
