// Rules of sending: only what was acknowledged under its own control id is done; what may not have arrived is sent again, in order.
import { afterEach, describe, expect, test } from '@jest/globals';
import { createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { createMllpSender, type MllpSender, type MllpSenderOptions } from '../../../adapters/hl7/sender.ts';
import {
  createWardSystem,
  type Behaviour,
  type WardSystem,
} from '../../../adapters/hl7/simulator/ward-system.ts';
import type { SendResult } from '../../../engine/index.ts';
import { silentLogger, type LogFacts, type Logger } from '../../../engine/kernel/logger.ts';
import {
  authority,
  clientCertificate,
  clientKey,
  serverCertificate,
  serverKey,
} from './support/certificates.ts';
import { oru } from './support/raw-client.ts';
import { countingIds, fixedClock } from './support/recording-inbox.ts';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function ward(
  behaviours: readonly Behaviour[] = [],
  port = 0,
): Promise<{ system: WardSystem; port: number }> {
  const system = createWardSystem({
    host: '127.0.0.1',
    port,
    clock: fixedClock,
    ids: countingIds('ward'),
    behaviours,
  });
  const started = await system.start();
  ends.push(() => system.stop());
  return { system, ...started };
}

function sending(port: number, options: Partial<MllpSenderOptions> = {}): MllpSender {
  const sender = createMllpSender({
    host: '127.0.0.1',
    port,
    logger: silentLogger,
    random: () => 0.5,
    answerTimeoutMs: 100,
    connectTimeoutMs: 2000,
    pauseMs: { first: 10, longest: 40 },
    ...options,
  });
  ends.push(() => sender.close());
  return sender;
}

const delivery = (id: string): Parameters<MllpSender['send']>[0] => ({
  id,
  contentType: 'application/hl7-v2',
  payload: oru(id),
});

/** `done`, or class and code of the failure. */
const told = (result: SendResult): string =>
  result.state === 'done' ? 'done' : `${result.retry} ${result.reason.code}`;

async function eventually(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 500) throw new Error('it did not happen within 5 s');
    await pause(10);
  }
}

describe('what an acknowledgement makes of a delivery', () => {
  const strangeAnswers: readonly (readonly [string, string])[] = [
    ['no HL7', 'hello'],
    ['an ACK without MSA', 'MSH|^~\\&|||||1||ACK|1|P|2.3\r'],
    ['an MSA without code', 'MSH|^~\\&|||||1||ACK|1|P|2.3\rMSA||m1\r'],
    ['an MSA without id', 'MSH|^~\\&|||||1||ACK|1|P|2.3\rMSA|AA\r'],
    ['a code that there is not', 'MSH|^~\\&|||||1||ACK|1|P|2.3\rMSA|OK|m1\r'],
    ['a code that is a name of Object', 'MSH|^~\\&|||||1||ACK|1|P|2.3\rMSA|constructor|m1\r'],
  ];
  const answerOf = (type: string): string => `MSH|^~\\&|||||1||${type}|1|P|2.3\rMSA|AA|m1\r`;
  test.each<[rule: string, behaviour: Behaviour, expected: string]>([
    ['AA', { answer: ['AA'] }, 'done'],
    ['CA', { answer: ['CA'] }, 'done'],
    ['AE', { answer: ['AE'] }, 'transient hl7-answer-ae'],
    ['CE', { answer: ['CE'] }, 'transient hl7-answer-ce'],
    ['AR', { answer: ['AR'] }, 'permanent hl7-answer-ar'],
    ['CR', { answer: ['CR'] }, 'permanent hl7-answer-cr'],
    ['AA for another message', { answerTo: 'stranger' }, 'ambiguous hl7-answer-mismatch'],
    ['AA for a longer id', { answerTo: 'm1x' }, 'ambiguous hl7-answer-mismatch'],
    ['AA in the answer of this kind', { say: answerOf('ORA^R33') }, 'done'],
    ['AA under our own type', { say: answerOf('ORU^R01') }, 'done'],
    ['AA in an answer to another kind', { say: answerOf('ORR^O02') }, 'ambiguous hl7-answer-type'],
    ['none', 'silent', 'transient hl7-answer-timeout'],
    ['the connection is closed', 'close', 'transient hl7-connection-lost'],
    ...strangeAnswers.map(([rule, say]): [string, Behaviour, string] => [
      rule,
      { say },
      'ambiguous hl7-answer-malformed',
    ]),
  ])('%s', async (_, behaviour, expected) => {
    const { port, system } = await ward([behaviour]);
    expect(told(await sending(port).send(delivery('m1')))).toBe(expected);
    expect(system.received()).toEqual(['m1']);
  });

  test.each<[rule: string, behaviour: Behaviour, expected: string]>([
    ['CA, then AA', { answer: ['CA', 'AA'] }, 'done'],
    ['CA, then AE', { answer: ['CA', 'AE'] }, 'transient hl7-answer-ae'],
    ['CA, then AR', { answer: ['CA', 'AR'] }, 'permanent hl7-answer-ar'],
    ['CE', { answer: ['CE'] }, 'transient hl7-answer-ce'],
    ['CA alone', { answer: ['CA'] }, 'transient hl7-answer-timeout'],
    ['AA at once', { answer: ['AA'] }, 'done'],
  ])('where the application is waited for: %s', async (_, behaviour, expected) => {
    const { port } = await ward([behaviour]);
    expect(told(await sending(port, { until: 'application' }).send(delivery('m1')))).toBe(expected);
  });

  test('without a control id it could not be known', async () => {
    const { port, system } = await ward();
    const payload = Buffer.from('MSH|^~\\&|||||1||ORU^R01||P|2.3\r');
    const result = await sending(port).send({ ...delivery('m1'), payload });
    expect([told(result), system.received()]).toEqual(['permanent hl7-no-control-id', []]);
  });

  test('a control id with escapes and other letters is known again', async () => {
    const { port } = await ward();
    const payload = Buffer.from('MSH|^~\\&|||||1||ORU^R01|a\\T\\é^1|P|2.3||||||UNICODE\r');
    expect(told(await sending(port).send({ ...delivery('m1'), payload }))).toBe('done');
  });
});

describe('an acknowledgement that comes late', () => {
  /** Wide apart, for machines with other things to do. */
  const answerTimeoutMs = 400;
  test('is not taken for that of the next message', async () => {
    const { port } = await ward([
      { answer: ['AA'], afterMs: 1.5 * answerTimeoutMs },
      { answer: ['AR'], afterMs: 0.7 * answerTimeoutMs },
    ]);
    const sender = sending(port, { answerTimeoutMs });
    expect(told(await sender.send(delivery('m1')))).toBe('transient hl7-answer-timeout');
    expect(told(await sender.send(delivery('m2')))).toBe('permanent hl7-answer-ar');
  });
  test('twice, for a message sent twice, is not either', async () => {
    const { port } = await ward([
      { answer: ['AA'], afterMs: 1.5 * answerTimeoutMs },
      { answer: ['AA'], afterMs: 0.7 * answerTimeoutMs },
      { answer: ['AA'], afterMs: 0.5 * answerTimeoutMs },
    ]);
    const sender = sending(port, { answerTimeoutMs });
    const results = [];
    for (const id of ['m1', 'm1', 'm2']) results.push(told(await sender.send(delivery(id))));
    expect(results).toEqual(['transient hl7-answer-timeout', 'done', 'done']);
  });
  test('after one for a stranger is not heard', async () => {
    const { port } = await ward([{ answerTo: 'stranger', then: 'AA' }]);
    const sender = sending(port);
    expect(told(await sender.send(delivery('m1')))).toBe('ambiguous hl7-answer-mismatch');
    expect(told(await sender.send(delivery('m2')))).toBe('done');
  });
});

test('a message without acknowledgement is sent again under the same control id, and the order is kept', async () => {
  const { port, system } = await ward(['silent', { answer: ['AE'] }, 'close']);
  const sender = sending(port);
  for (const id of ['m1', 'm2', 'm3']) {
    for (let tries = 1; told(await sender.send(delivery(id))) !== 'done'; tries += 1) {
      expect(tries).toBeLessThan(5);
    }
  }
  expect(system.received()).toEqual(['m1', 'm1', 'm1', 'm1', 'm2', 'm3']);
});

test('sends that overlap take turns on one connection', async () => {
  const { port, system } = await ward(
    Array.from({ length: 5 }, () => ({ answer: ['AA'], afterMs: 5 }) as const),
  );
  const sender = sending(port);
  const ids = ['m1', 'm2', 'm3', 'm4', 'm5'];
  const results = await Promise.all(ids.map((id) => sender.send(delivery(id))));
  expect(results.map(told)).toEqual(ids.map(() => 'done'));
  expect([system.received(), system.connections()]).toEqual([ids, 1]);
});

describe('the connection', () => {
  test('is kept over idle times', async () => {
    const { port, system } = await ward();
    const sender = sending(port);
    await sender.send(delivery('m1'));
    await pause(300);
    expect([sender.state().connected, system.connections()]).toEqual([true, 1]);
    expect(told(await sender.send(delivery('m2')))).toBe('done');
  });

  test('is made again, when it is wanted, after the peer has dropped it', async () => {
    const { port, system } = await ward();
    const sender = sending(port, { pauseMs: { first: 60_000, longest: 60_000 } });
    await sender.send(delivery('m1'));
    system.hangUp();
    await eventually(() => !sender.state().connected);
    expect(sender.state()).toEqual({ connected: false, failures: 0 });
    expect(told(await sender.send(delivery('m2')))).toBe('done');
    expect([sender.state().connected, system.connections()]).toEqual([true, 1]);
  });

  test('that is refused is known at once, at each try, whatever the pause between attempts', async () => {
    const { port, system } = await ward();
    await system.stop();
    const sender = sending(port, { connectTimeoutMs: 60_000, pauseMs: { first: 60_000, longest: 60_000 } });
    for (const id of ['m1', 'm1', 'm1']) {
      expect(told(await sender.send(delivery(id)))).toBe('transient hl7-no-connection');
    }
    expect(sender.state().failures).toBe(3);
    await ward([], port);
    expect(told(await sender.send(delivery('m1')))).toBe('done');
  });

  test('is tried for ever, with growing pauses, and said aloud', async () => {
    const first = await ward();
    await first.system.stop();
    const said: LogFacts[] = [];
    const logger: Logger = { ...silentLogger, warn: (facts) => said.push(facts) };
    const sender = sending(first.port, { logger, connectTimeoutMs: 300, pauseMs: { first: 4, longest: 64 } });
    expect(told(await sender.send(delivery('m1')))).toBe('transient hl7-no-connection');
    await eventually(() => sender.state().failures >= 8);
    expect(said.slice(0, 4).map(({ failures }) => failures)).toEqual([1, 2, 4, 8]);
    expect(said.slice(0, 4).map(({ pauseMs }) => pauseMs)).toEqual([3, 6, 24, 48]);
    const second = await ward([], first.port);
    await eventually(() => sender.state().connected);
    expect(told(await sender.send(delivery('m1')))).toBe('done');
    expect([second.system.received(), sender.state().failures]).toEqual([['m1'], 0]);
  });

  test('that answers nothing any more is given up and made again', async () => {
    const { port, system } = await ward(['silent', 'silent']);
    const sender = sending(port);
    const results = [];
    for (const id of ['m1', 'm1', 'm1']) results.push(told(await sender.send(delivery(id))));
    expect(results).toEqual(['transient hl7-answer-timeout', 'transient hl7-answer-timeout', 'done']);
    expect(system.connections()).toBe(1);
  });

  test('that does not come about in time is a passing failure', async () => {
    const sockets: Socket[] = [];
    const deaf = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve));
    ends.push(async () => {
      sockets.forEach((socket) => socket.destroy());
      deaf.close();
    });
    const { port } = deaf.address() as { port: number };
    // It accepts, but never shakes hands.
    const sender = sending(port, { connectTimeoutMs: 100, tls: () => ({ ca: authority }) });
    expect(told(await sender.send(delivery('m1')))).toBe('transient hl7-no-connection');
  });
});

describe('a receiver that closes by itself', () => {
  /** What it does with the nth message of a connection: `taken` tells which it has taken in. */
  type Habit = (socket: Socket, nth: number, answer: string) => void;
  const habits: readonly (readonly [rule: string, habit: Habit, expected: readonly string[]])[] = [
    [
      'after each answer',
      (socket, _, answer) => socket.end(answer),
      ['m1 done', 'm2 done', 'm3 done', 'm4 done'],
    ],
    [
      'after each answer, with a reset',
      (socket, _, answer) => socket.write(answer, () => socket.resetAndDestroy()),
      ['m1 done', 'm2 done', 'm3 done', 'm4 done'],
    ],
    [
      'while the next message is under way to it',
      (socket, nth, answer) => (nth === 1 ? socket.write(answer) : socket.destroy()),
      ['m1 done', 'm2 done', 'm3 done', 'm4 done'],
    ],
    [
      'in the midst of its answer',
      (socket, nth, answer) => (nth === 1 ? socket.write(answer) : socket.end(answer.slice(0, 20))),
      ['m1 done', 'm2 transient hl7-connection-lost', 'm3 done', 'm4 transient hl7-connection-lost'],
    ],
    [
      'while it works on the message',
      (socket, nth, answer) => (nth === 1 ? socket.write(answer) : setTimeout(() => socket.destroy(), 1100)),
      ['m1 done', 'm2 transient hl7-connection-lost', 'm3 done', 'm4 transient hl7-connection-lost'],
    ],
  ];
  const sendFour = async (habit: Habit): Promise<readonly string[]> => {
    const server = createServer((socket) => {
      let nth = 0;
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        nth += 1;
        const controlId = /\|(m\d+)\|/.exec(chunk.toString())?.[1] ?? '';
        habit(socket, nth, `\x0bMSH|^~\\&|||||1||ACK|1|P|2.3\rMSA|AA|${controlId}\r\x1c\r`);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ends.push(async () => void server.close());
    const { port } = server.address() as { port: number };
    const sender = sending(port, { answerTimeoutMs: 3000, pauseMs: { first: 60_000, longest: 60_000 } });
    const results: string[] = [];
    for (const id of ['m1', 'm2', 'm3', 'm4']) results.push(`${id} ${told(await sender.send(delivery(id)))}`);
    return results;
  };
  test.each(habits)('%s', async (_, habit, expected) => {
    expect(await sendFour(habit)).toEqual(expected);
  });

  test('before it has answered anything is one that fails: with pauses between attempts', async () => {
    const { port, system } = await ward(['close', 'close']);
    const sender = sending(port);
    expect(told(await sender.send(delivery('m1')))).toBe('transient hl7-connection-lost');
    expect([sender.state().failures, system.received()]).toEqual([1, ['m1']]);
  });
});

describe('close', () => {
  test('waits for the acknowledgement under way', async () => {
    const { port } = await ward([{ answer: ['AA'], afterMs: 60 }]);
    const sender = sending(port);
    const sent = sender.send(delivery('m1'));
    await eventually(() => sender.state().connected);
    await sender.close();
    expect(told(await sent)).toBe('done');
    expect(told(await sender.send(delivery('m2')))).toBe('transient hl7-sender-closed');
  });
  test('does not wait for a receiver that is not there', async () => {
    const { port, system } = await ward();
    await system.stop();
    const sender = sending(port, { connectTimeoutMs: 20_000 });
    const sent = sender.send(delivery('m1'));
    await pause(30);
    await sender.close();
    expect(told(await sent)).toBe('transient hl7-no-connection');
  });
});

describe('TLS', () => {
  async function secured(): Promise<{ system: WardSystem; port: number }> {
    const system = createWardSystem({
      host: '127.0.0.1',
      port: 0,
      clock: fixedClock,
      ids: countingIds(),
      tls: {
        cert: serverCertificate,
        key: serverKey,
        ca: authority,
        requestCert: true,
        rejectUnauthorized: true,
      },
    });
    const started = await system.start();
    ends.push(() => system.stop());
    return { system, ...started };
  }
  test('shakes hands before it sends', async () => {
    const { port, system } = await secured();
    const sender = sending(port, { tls: () => ({ ca: authority, cert: clientCertificate, key: clientKey }) });
    expect(told(await sender.send(delivery('m1')))).toBe('done');
    expect(system.received()).toEqual(['m1']);
  });
  test('sends nothing to a receiver whose certificate nobody vouches for', async () => {
    const { port, system } = await secured();
    const sender = sending(port, {
      connectTimeoutMs: 200,
      tls: () => ({ cert: clientCertificate, key: clientKey }),
    });
    expect([told(await sender.send(delivery('m1'))), system.received()]).toEqual([
      'transient hl7-no-connection',
      [],
    ]);
  });
});
