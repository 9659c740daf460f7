// Retention with an archive: what goes is in files first, whole, whatever ends the engine meanwhile.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { showArchive } from '../../../engine/app/commands/archives.ts';
import { Refusal } from '../../../engine/kernel/outcomes.ts';
import { createArchive, type Archive, type ArchivedLine } from '../../../engine/messages/archive.ts';
import { readChannel } from '../../../engine/messages/channels/read-channel.ts';
import { readArchive } from '../../../engine/messages/read-archive.ts';
import { createRetention } from '../../../engine/messages/retention.ts';
import type { ChannelSettings } from '../../../engine/messages/stages.ts';
import { openSqliteStore } from '../../../engine/storage/sqlite/open.ts';
import { silentLogger } from '../../../engine/kernel/logger.ts';
import { arrivalOf, hl7, openHouse, type House } from './house.ts';

const day = 86_400_000;
let folder: string;
let house: House;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kiungo-archive-'));
  house = await openHouse();
});
afterEach(async () => {
  await house.close();
  rmSync(folder, { recursive: true, force: true });
});

const settingsOf = (): ChannelSettings => ({
  ...{ acknowledgements: 'as-asked', charset: undefined, retention: { archive: 'lab' } },
  routes: [{ destination: 'lab.lis', body: 'raw', lane: 'none', tests: [] }],
});
const night = (archive: Archive = createArchive(folder, house.ids)): Promise<void> =>
  createRetention({ ...house, settingsOf, archive }).run();

async function given(controlId: string): Promise<string> {
  const { messageId } = await house.inbox().receive(arrivalOf(hl7({ controlId })));
  await house.store.transact(async ({ messages }) => {
    await messages.keepMapped(messageId, Buffer.from('{"resourceType":"Bundle"}'));
    await messages.change(messageId, { state: 'processed', effects: ['Patient/p/_history/1'] });
  });
  return messageId;
}

async function sent(id: string, cause: string, destination: string): Promise<void> {
  const now = house.clock.now();
  await house.store.transact(async ({ messages }) => {
    const facts = { id, destination, lane: id, createdAt: now, contentType: 'text/plain', cause };
    await messages.enqueue({ ...facts, payload: Buffer.from([0xff, 0]) });
    const [leased] = await messages.lease({ destinations: [destination], now, leaseMs: 1, limit: 1 });
    const response = { contentType: 'text/plain', bytes: Buffer.from('noted') };
    await messages.settle(id, leased!.lease!, { state: 'done', response });
  });
}

const files = (): readonly string[] =>
  readdirSync(join(folder, 'lab')).map((name) => join(folder, 'lab', name));

async function archived(): Promise<readonly ArchivedLine[]> {
  const lines: ArchivedLine[] = [];
  for (const file of files()) for await (const line of readArchive(file)) lines.push(line);
  return lines;
}

const text = (base64: string | undefined): string => Buffer.from(base64 ?? '', 'base64').toString('latin1');

test('what goes is kept whole, in files by the day of its arrival that nobody else can read', async () => {
  const first = await given('1');
  await sent('d1', first, 'send:lab.lis');
  await sent('d2', first, 'send:other');
  house.clock.advance(day);
  await given('2');
  house.clock.advance(91 * day);
  await night();
  expect([
    await house.messages(),
    (await house.store.messages.deliveries({ limit: 9, offset: 0 })).total,
  ]).toEqual([[], 0]);
  const lines = await archived();
  const messages = lines.flatMap((line) => (line.kind === 'message' ? [line] : []));
  const deliveries = lines.flatMap((line) => (line.kind === 'delivery' ? [line] : []));
  expect(messages.map(({ controlId }) => controlId).sort()).toEqual(['1', '2']);
  const message = messages.find(({ controlId }) => controlId === '1')!;
  expect(message).toMatchObject({ id: first, state: 'processed', effects: ['Patient/p/_history/1'] });
  expect(text(message.raw)).toBe(hl7({ controlId: '1' }).toString('latin1'));
  expect([text(message.mapped), text(message.answer)]).toEqual([
    '{"resourceType":"Bundle"}',
    expect.stringContaining('MSA|AA|1'),
  ]);
  expect(deliveries).toMatchObject([{ id: 'd1', cause: first, state: 'done' }]);
  expect([text(deliveries[0]!.payload), text(deliveries[0]!.response?.bytes)]).toEqual(['\xff\0', 'noted']);
  const names = files().map((file) => /lab\/(\d{4}-\d\d-\d\d)_/.exec(file)?.[1]);
  expect(names.sort()).toEqual(['2026-11-21', '2026-11-21', '2026-11-22']);
  expect(files().map((file) => statSync(file).mode & 0o777)).toEqual([0o600, 0o600, 0o600]);
  expect(statSync(join(folder, 'lab')).mode & 0o777).toBe(0o700);
});

test('what cannot be kept stays in the store, deliveries too', async () => {
  await sent('d1', await given('1'), 'send:lab.lis');
  house.clock.advance(91 * day);
  // A file is where the folder should be.
  writeFileSync(join(folder, 'lab'), '');
  await night();
  expect((await house.messages()).map(({ controlId }) => controlId)).toEqual(['1']);
  expect((await house.store.messages.deliveries({ limit: 9, offset: 0 })).total).toBe(1);
  rmSync(join(folder, 'lab'));
  await night();
  expect([await house.messages(), (await archived()).length]).toEqual([[], 2]);
});

test('what a person does to a message meanwhile counts: it stays', async () => {
  const id = await given('1');
  house.clock.advance(91 * day);
  const archive: Archive = {
    writer: () => ({
      keep: () => house.store.transact(({ messages }) => messages.change(id, { state: 'received' })),
    }),
  };
  await night(archive);
  expect(await house.states()).toEqual({ 1: 'received' });
});

test('of a file that was cut, all but its last piece can be read', async () => {
  await given('1');
  house.clock.advance(91 * day);
  await night();
  const [file = ''] = files();
  const whole = (await archived()).length;
  for (const bytes of [statSync(file).size - 1, 30, 3, 0]) {
    truncateSync(file, bytes);
    expect((await archived()).length).toBeLessThanOrEqual(whole);
  }
  writeFileSync(file, 'hello');
  await expect(archived()).rejects.toBeInstanceOf(Refusal);
});

test('the command shows what is there, finds by control id, and gives the bytes', async () => {
  const id = await given('7');
  await sent('d1', id, 'send:lab.lis');
  await given('8');
  house.clock.advance(91 * day);
  await night();
  const run = async (options: Record<string, string | boolean>): Promise<[number, string[]]> => {
    const said: string[] = [];
    const say = (line: string): void => void said.push(line);
    if (!('run' in showArchive)) throw new Error('it asks no engine');
    const parts = { say, sayJson: () => undefined, clock: house.clock, config: {} as never };
    return [await showArchive.run({ ...parts, words: [folder], given: options }), said];
  };
  expect((await run({}))[1]).toHaveLength(3);
  expect((await run({ id }))[1]).toHaveLength(2);
  expect((await run({ 'control-id': '7', raw: true }))[1].join('\r')).toBe(
    hl7({ controlId: '7' }).toString().trimEnd(),
  );
  expect(await run({ 'control-id': 'none' })).toEqual([1, []]);
});

test.each(['../x', '/etc', 'a/b', '..', '.hidden', '', 'a\0b'])('no archive is named %j', (archive) => {
  const definition = { name: 'lab', source: { kind: 'http' }, retention: { archive } };
  expect(() => readChannel(definition, 'body')).toThrow(Refusal);
});

describe('ended at any moment', () => {
  test('nothing is lost: what is not in the store any more is in the archive, whole', async () => {
    const file = join(folder, 'kiungo.db');
    const clock = { now: () => Date.UTC(2026, 10, 21) };
    const store = await openSqliteStore({ file, clock, logger: silentLogger });
    const count = 4_000;
    await store.transact(async ({ messages }) => {
      for (let nth = 0; nth < count; nth += 1) await messages.keep(recordOf(nth), Buffer.from(bodyOf(nth)));
    });
    await store.close();
    const place = join(folder, 'archive');
    mkdirSync(place);
    let kills = 0;
    for (let isFinished = false; !isFinished;) {
      const process = spawnPurge(file, place, Date.UTC(2027, 10, 21));
      let said = '';
      process.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
      const ended = once(process, 'exit');
      while (said === '' && process.exitCode === null) await sleep(2);
      if (kills < 8) {
        await sleep(5 + ((kills * 37) % 120));
        if (process.kill('SIGKILL')) kills += 1;
      }
      await ended;
      isFinished = said.includes('finished');
      expect(await missing(file, place, count)).toEqual([]);
    }
    expect(kills).toBeGreaterThan(2);
  }, 120_000);
});

const bodyOf = (nth: number): string =>
  `MSH|^~\\&|A|B|||20261121||ORU^R01|${nth}|P|2.5\rNTE|1||${'x'.repeat(nth % 900)}\r`;

const recordOf = (nth: number) => ({
  ...{ id: `m${nth}`, channel: 'lab', peer: '', receivedAt: Date.UTC(2026, 10, 21), controlId: `${nth}` },
  ...{ messageType: 'ORU^R01', format: 'application/hl7-v2', digest: `${nth}`, size: 1, reason: undefined },
  ...({ state: 'processed', attempts: 1, dueAt: 0, acknowledgement: 'sent', answer: undefined } as const),
  ...{ map: undefined, effects: [], replayOf: undefined, batch: undefined, changedBy: undefined },
});

const spawnPurge = (file: string, place: string, at: number) =>
  spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', 'test/support/purge-under-kill.ts', file, place, String(at)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );

/** Neither in the store nor, with its bytes, in the archive. */
async function missing(file: string, place: string, count: number): Promise<readonly number[]> {
  const there = new Map<string, string>();
  const lab = join(place, 'lab');
  const names = statSync(lab, { throwIfNoEntry: false }) === undefined ? [] : readdirSync(lab);
  for (const name of names) {
    for await (const line of readArchive(join(lab, name))) {
      if (line.kind === 'message') there.set(line.id, text(line.raw));
    }
  }
  const store = await openSqliteStore({ file, clock: { now: () => 0 }, logger: silentLogger });
  const lost: number[] = [];
  for (let nth = 0; nth < count; nth += 1) {
    if (there.get(`m${nth}`) === bodyOf(nth)) continue;
    if ((await store.messages.message(`m${nth}`)) === undefined) lost.push(nth);
  }
  await store.close();
  return lost;
}
