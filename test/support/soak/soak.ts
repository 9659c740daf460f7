// A real engine under senders, receivers and all that goes wrong in a hospital: at the end nothing accepted is lost, nothing doubled, each
// lane in order, and the store agrees with itself. docs/guides/soak.md
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { until } from '../engine-process.ts';
import { chanceOf, pause, type Chance } from './chance.ts';
import { smallDisk, type Disk } from './disk.ts';
import { SoakedEngine } from './engine.ts';
import { Ledger } from './ledger.ts';
import { httpReceiver, mllpReceiver, type Receiver } from './receivers.ts';
import { Sender } from './sender.ts';

export interface SoakOptions {
  readonly seconds: number;
  readonly seed: number;
  readonly senders: number;
  /** Between a sender's messages. */
  readonly pauseMs: number;
  /** From the end of one fault to the next, on average. */
  readonly faultEverySeconds: number;
  /** How long what waits may take at the end. */
  readonly finishSeconds: number;
  readonly tell: (line: string) => void;
}

export interface SoakReport {
  readonly counts: Readonly<Record<string, number>>;
  /** Empty when all held. */
  readonly problems: readonly string[];
}

const diskBytes = 8_000_000_000;

const channelOf = (mllp: number, http: number): string => `
name: hl7
source: { kind: mllp, port: 0 }
destinations:
  - name: lis
    to: { kind: mllp, host: 127.0.0.1, port: ${mllp}, answerSeconds: 5 }
    body: raw
    lane: patient
    answers: { AE: retry }
    retry: { delaysSeconds: [0.1, 0.5], tries: 100000, ambiguous: try-again }
    circuit: { failures: 5, pauseSeconds: 1 }
  - name: warehouse
    to: { kind: http, url: 'http://127.0.0.1:${http}/results', answerSeconds: 5 }
    body: raw
    lane: destination
    retry: { delaysSeconds: [0.1, 0.5], tries: 100000, ambiguous: try-again }
    circuit: { failures: 5, pauseSeconds: 1 }
`;

export async function soak(options: SoakOptions): Promise<SoakReport> {
  const chance = chanceOf(options.seed);
  const disk = smallDisk(diskBytes);
  if (disk === undefined) options.tell('no small disk can be made here: without full disks');
  const data = disk?.folder ?? mkdtempSync(join(tmpdir(), 'kiungo-soak-'));
  const engine = new SoakedEngine(data, { KIUNGO_CHANNELS: join(data, 'channels') }, options.tell);
  const ledgers = ['lis', 'warehouse'].map((name) => new Ledger(name, () => engine.disturbances));
  const [lis, warehouse] = ledgers;
  if (lis === undefined || warehouse === undefined) throw new Error('two ledgers');
  const receivers = [await mllpReceiver(lis, chance), await httpReceiver(warehouse, chance)];
  mkdirSync(join(data, 'channels'));
  writeFileSync(
    join(data, 'channels', 'hl7.yaml'),
    channelOf(...(receivers.map(({ port }) => port) as [number, number])),
  );
  const senders = Array.from(
    { length: options.senders },
    (_, name) => new Sender(name, engine.port, chance, options.pauseMs),
  );
  try {
    await engine.start(() => false);
    const sending = Promise.all(senders.map((sender) => sender.run()));
    const fullDisks = await disturb(engine, receivers, disk, chance, options);
    options.tell('no more faults: finishing');
    for (const receiver of receivers) receiver.calm();
    if (engine.port() === undefined) await engine.start(() => false);
    for (const sender of senders) sender.stop();
    await until(
      () => senders.every(({ isIdle }) => isIdle),
      60_000,
      () => senders.map((sender) => sender.tells()).join('; '),
    );
    await sending;
    const problems = [...(await finish(engine, options)), ...(await heldBack(engine, senders, ledgers))];
    const stopped = await engine.stop();
    if (stopped !== 0) problems.push(`the engine stopped with ${stopped}`);
    problems.push(
      ...storeProblems(data),
      ...engine.ownEnds.map((how) => `the engine ended by itself: ${how}`),
    );
    return { counts: countsOf(engine, senders, ledgers, receivers, fullDisks), problems };
  } finally {
    if (engine.port() !== undefined) await engine.kill();
    for (const receiver of receivers) receiver.close();
    if (disk === undefined) rmSync(data, { recursive: true });
    else disk.remove();
  }
}

/** Faults one after the other until the time is over, and at least one kill. Answers how often the disk was full. */
async function disturb(
  engine: SoakedEngine,
  receivers: readonly Receiver[],
  disk: Disk | undefined,
  chance: Chance,
  { seconds, faultEverySeconds, tell }: SoakOptions,
): Promise<number> {
  const end = performance.now() + seconds * 1000;
  let fullDisks = 0;
  while (performance.now() < end || engine.kills === 0) {
    await pause(chance.between(0, 2 * faultEverySeconds * 1000));
    if (engine.port() === undefined) await engine.start(() => false);
    const kind = chance.between(0, 100);
    if (kind < 55) {
      tell('kill');
      await engine.kill();
      await engine.start(() => false);
    } else if (kind < 80 && disk !== undefined) {
      tell('full disk');
      fullDisks += 1;
      await fillDisk(engine, disk, chance, tell);
    } else {
      const away = receivers[Math.floor(chance.between(0, receivers.length))];
      tell('a receiver is away');
      await away?.leave(chance.between(500, 3_000));
    }
  }
  return fullDisks;
}

/** For some seconds; sometimes the engine is killed meanwhile, and has to start on the full disk or wait for it. */
async function fillDisk(
  engine: SoakedEngine,
  disk: Disk,
  chance: Chance,
  tell: (line: string) => void,
): Promise<void> {
  engine.disturbances += 1;
  disk.fill();
  let isFull = true;
  const relief = pause(chance.between(1_000, 5_000)).then(() => {
    disk.relieve();
    isFull = false;
  });
  if (chance.percent(30)) {
    await pause(chance.between(0, 1_000));
    tell('kill on a full disk');
    await engine.kill();
    await engine.start(() => isFull);
  }
  await relief;
  if (engine.port() === undefined) await engine.start(() => false);
  engine.disturbances += 1;
}

interface List {
  readonly total: number;
  readonly items: readonly { readonly id: string; readonly controlId: string; readonly state: string }[];
}

const ask = async (engine: SoakedEngine, path: string): Promise<List> =>
  (await (await engine.running.fetch(path)).json()) as List;

const totalOf = async (engine: SoakedEngine, path: string): Promise<number> =>
  (await ask(engine, path)).total;

/** Waits until nothing waits any more. */
async function finish(engine: SoakedEngine, { finishSeconds }: SoakOptions): Promise<string[]> {
  const open = [
    '/admin/messages?state=received&_count=1',
    '/admin/deliveries?state=waiting&_count=1',
    '/admin/deliveries?state=leased&_count=1',
  ];
  try {
    await until(async () => {
      await pause(500);
      const totals = await Promise.all(open.map((path) => totalOf(engine, path)));
      return totals.every((total) => total === 0);
    }, finishSeconds * 1000);
    return [];
  } catch {
    const totals = await Promise.all(open.map((path) => totalOf(engine, path)));
    return [`after ${finishSeconds} s there still wait: ${totals.join(' messages, ')} leased deliveries`];
  }
}

const page = 500;

/** What is lost, doubled, out of order, or waits for a person. */
async function heldBack(
  engine: SoakedEngine,
  senders: readonly Sender[],
  ledgers: readonly Ledger[],
): Promise<readonly string[]> {
  const problems = ledgers.flatMap((ledger) => ledger.problems);
  const kept = new Map<string, number>();
  for (let offset = 0; ; offset += page) {
    const { items } = await ask(engine, `/admin/messages?channel=hl7&_count=${page}&_offset=${offset}`);
    for (const { controlId, state } of items) {
      kept.set(controlId, (kept.get(controlId) ?? 0) + 1);
      if (state !== 'processed') problems.push(`message ${controlId} is ${state}`);
    }
    if (items.length < page) break;
  }
  for (const { name, accepted } of senders) {
    for (let count = 1; count <= accepted; count += 1) {
      const times = kept.get(`S${name}-${count}`) ?? 0;
      if (times !== 1) problems.push(`S${name}-${count} was accepted, and is kept ${times} times`);
    }
    for (const ledger of ledgers) {
      const last = ledger.last.get(name) ?? 0;
      if (last < accepted) {
        problems.push(`${ledger.name}: of sender ${name} came ${last}, accepted were ${accepted}`);
      }
    }
  }
  const dead = await totalOf(engine, '/admin/deliveries?state=dead&_count=1');
  if (dead > 0) problems.push(`${dead} deliveries wait for a person`);
  for (const [type, each] of Object.entries({ DiagnosticReport: 1, Observation: 2 })) {
    const total = await totalOf(engine, `/fhir/R4/${type}?_total=accurate&_count=1`);
    if (total !== each * kept.size) problems.push(`${total} of ${type} for ${kept.size} messages`);
  }
  return problems;
}

function storeProblems(data: string): readonly string[] {
  const { status, stdout, stderr } = spawnSync(process.execPath, [resolve('engine/app/kiungo.ts'), 'check'], {
    env: { PATH: process.env['PATH'], KIUNGO_DATA: data },
    encoding: 'utf8',
  });
  return status === 0 ? [] : [`kiungo check ends with ${status}: ${stdout.slice(0, 2_000)}${stderr}`];
}

function countsOf(
  engine: SoakedEngine,
  senders: readonly Sender[],
  ledgers: readonly Ledger[],
  receivers: readonly Receiver[],
  fullDisks: number,
): Readonly<Record<string, number>> {
  const sum = (of: (sender: Sender) => number): number =>
    senders.reduce((all, sender) => all + of(sender), 0);
  const refused = sum(({ refused: codes }) => Object.values(codes).reduce((all, count) => all + count, 0));
  const perLedger = ledgers.flatMap(({ name, count, againAfterLostAnswer, againAfterDisturbance }, at) => [
    [`${name}: messages`, count],
    [`${name}: again after a lost answer`, againAfterLostAnswer],
    [`${name}: again after a kill or full disk`, againAfterDisturbance],
    ...Object.entries(receivers[at]?.faults ?? {}).map(([fault, times]) => [`${name}: ${fault}`, times]),
  ]) as [string, number][];
  return {
    kills: engine.kills,
    'full disks': fullDisks,
    'starts that a full disk prevented': engine.failedStarts,
    'messages accepted': sum(({ accepted }) => accepted),
    'sent again for want of an acceptance': sum(({ again }) => again),
    'answers that refused': refused,
    ...Object.fromEntries(perLedger),
  };
}
