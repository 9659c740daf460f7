// Rules of the MLLP port: nothing is answered before it is kept, answers go out in order, one connection's trouble is its own.
import { afterEach, describe, expect, test } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { frame } from '../../../adapters/hl7/framing.ts';
import {
  createMllpListener,
  type MllpListener,
  type MllpListenerOptions,
} from '../../../adapters/hl7/listener.ts';
import { silentLogger } from '../../../engine/kernel/logger.ts';
import { field, oru, rawClient } from './support/raw-client.ts';
import { countingIds, fixedClock, recordingInbox, type RecordingInbox } from './support/recording-inbox.ts';

const open: MllpListener[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((listener) => listener.stop()));
});

async function listening(
  inbox: RecordingInbox,
  options: Partial<MllpListenerOptions> = {},
): Promise<{ port: number; listener: MllpListener }> {
  const listener = createMllpListener({
    inbox,
    host: '127.0.0.1',
    port: 0,
    channel: 'lab',
    clock: fixedClock,
    ids: countingIds(),
    logger: silentLogger,
    ...options,
  });
  open.push(listener);
  return { ...(await listener.start()), listener };
}

/** A promise and its resolution. */
function gate(): { readonly opened: Promise<undefined>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  return { opened: promise, open: () => resolve(undefined) };
}

async function eventually(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 500) throw new Error('it did not happen within 5 s');
    await pause(10);
  }
}

const range = (count: number): string[] => Array.from({ length: count }, (_, index) => `m${index + 1}`);

describe('a message', () => {
  test('is kept as it came, then acknowledged', async () => {
    const inbox = recordingInbox();
    const { port } = await listening(inbox, { charset: '8859/2' });
    const client = await rawClient(port);
    const raw = Buffer.concat([oru('m1'), Buffer.of(0xff)]);
    client.write(frame(raw));
    const [answer = ''] = await client.answers(1);
    expect([field(answer, 'MSA', 1), field(answer, 'MSA', 2)]).toEqual(['AA', 'm1']);
    expect(inbox.arrivals).toMatchObject([
      { channel: 'lab', mediaType: 'application/hl7-v2', charset: '8859/2' },
    ]);
    expect(Buffer.from(inbox.arrivals[0]!.raw).equals(raw)).toBe(true);
    expect(inbox.arrivals[0]!.peer).toBe(`127.0.0.1:${client.socket.localPort}`);
    await eventually(() => inbox.sent.length === 1);
    client.socket.destroy();
  });

  test('is not acknowledged before it is kept', async () => {
    const { opened, open: keep } = gate();
    const inbox = recordingInbox(() => opened);
    const { port } = await listening(inbox);
    const client = await rawClient(port);
    client.write(frame(oru('m1')));
    await eventually(() => inbox.arrivals.length === 1);
    const early = await Promise.race([client.answers(1), pause(50, 'none')]);
    expect(early).toBe('none');
    keep();
    await eventually(() => inbox.sent.length === 1);
    client.socket.destroy();
  });

  test('that cannot be kept is answered AE, never AA, and the connection goes on', async () => {
    const inbox = recordingInbox(async (id) => {
      if (id === 'bad') throw new Error('disk full');
    });
    const { port } = await listening(inbox);
    const client = await rawClient(port);
    for (const id of ['m1', 'bad', 'm2']) client.write(frame(oru(id)));
    const answers = await client.answers(3);
    expect(answers.map((answer) => `${field(answer, 'MSA', 1)} ${field(answer, 'MSA', 2)}`)).toEqual([
      'AA m1',
      'AE bad',
      'AA m2',
    ]);
    client.socket.destroy();
  });

  test('that is an answer itself is not answered, not even when it cannot be kept', async () => {
    const inbox = recordingInbox(() => Promise.reject(new Error('disk full')));
    const { port } = await listening(inbox);
    const client = await rawClient(port);
    client.write(frame(Buffer.from('MSH|^~\\&|||||1||ACK|7|P|2.3\rMSA|AA|1\r')));
    client.write(frame(oru('m1')));
    const [first = ''] = await client.answers(1);
    expect(field(first, 'MSA', 2)).toBe('m1');
    client.socket.destroy();
  });

  test('to which no answer is owed leaves nothing to be told', async () => {
    const inbox = recordingInbox();
    const { port } = await listening(inbox);
    const client = await rawClient(port);
    client.write(frame(Buffer.from('MSH|^~\\&|||||1||ACK|7|P|2.3\rMSA|AA|1\r')));
    client.write(frame(oru('m1')));
    const [first = ''] = await client.answers(1);
    await eventually(() => inbox.sent.length > 0);
    expect([field(first, 'MSA', 2), inbox.sent, inbox.undelivered]).toEqual(['m1', ['m1'], []]);
    expect(inbox.arrivals).toHaveLength(2);
    client.socket.destroy();
  });

  test('is taken from one-byte writes', async () => {
    const inbox = recordingInbox();
    const { port } = await listening(inbox);
    const client = await rawClient(port);
    client.socket.setNoDelay(true);
    for (const byte of frame(oru('m1'))) {
      client.write(Buffer.of(byte));
      await pause(0);
    }
    expect(field((await client.answers(1))[0]!, 'MSA', 2)).toBe('m1');
    client.socket.destroy();
  });
});

describe('several messages in flight', () => {
  test('are kept at the same time and answered in the order in which they came', async () => {
    const waits: Readonly<Record<string, number>> = { m1: 80, m2: 40, m3: 1, m4: 20, m5: 5 };
    const inbox = recordingInbox((id) => pause(waits[id] ?? 0));
    const { port } = await listening(inbox);
    const client = await rawClient(port);
    client.write(Buffer.concat(range(5).map((id) => frame(oru(id)))));
    const answers = await client.answers(5);
    expect(answers.map((answer) => field(answer, 'MSA', 2))).toEqual(range(5));
    expect(inbox.peak()).toBe(5);
    client.socket.destroy();
  });

  test('are no more than allowed; the rest wait, none is lost', async () => {
    const inbox = recordingInbox(() => pause(2));
    const { port } = await listening(inbox, { maxInFlight: 3 });
    const client = await rawClient(port);
    client.write(Buffer.concat(range(200).map((id) => frame(oru(id, 'x'.repeat(2000))))));
    const answers = await client.answers(200);
    expect(answers.map((answer) => field(answer, 'MSA', 2))).toEqual(range(200));
    expect(inbox.peak()).toBe(3);
    client.socket.destroy();
  });

  test('a sender is held back while too much is under way', async () => {
    const { opened, open: keep } = gate();
    const inbox = recordingInbox(() => opened);
    const { port } = await listening(inbox, { maxInFlight: 2 });
    const client = await rawClient(port);
    let written = 0;
    const large = 'x'.repeat(1_000_000);
    for (const id of range(30)) client.socket.write(frame(oru(id, large)), () => (written += 1));
    await eventually(() => inbox.arrivals.length === 2);
    await pause(100);
    expect([inbox.arrivals.length, written < 30]).toEqual([2, true]);
    keep();
    expect(await client.answers(30)).toHaveLength(30);
    client.socket.destroy();
  });

  test('of many connections', async () => {
    const inbox = recordingInbox();
    const { port } = await listening(inbox);
    const clients = await Promise.all(Array.from({ length: 50 }, () => rawClient(port)));
    clients.forEach((client, index) => client.write(frame(oru(`c${index}`))));
    const answers = await Promise.all(clients.map((client) => client.answers(1)));
    expect(answers.map(([answer = '']) => field(answer, 'MSA', 2))).toEqual(
      clients.map((_, index) => `c${index}`),
    );
    clients.forEach((client) => client.socket.destroy());
  });
});

describe('trouble on the line', () => {
  test('noise and a broken frame take no neighbour with them', async () => {
    const inbox = recordingInbox();
    const { port } = await listening(inbox);
    const client = await rawClient(port);
    const broken = frame(oru('lost')).subarray(0, 40);
    client.write(Buffer.concat([Buffer.from('\r\n\0'), frame(oru('m1')), broken, frame(oru('m2'))]));
    const answers = await client.answers(2);
    expect(answers.map((answer) => field(answer, 'MSA', 2))).toEqual(['m1', 'm2']);
    expect(inbox.arrivals).toHaveLength(2);
    client.socket.destroy();
  });

  test('a message that is too large is answered AR after those before it, and the connection is closed', async () => {
    const inbox = recordingInbox(() => pause(20));
    const { port, listener } = await listening(inbox, { maxFrameBytes: 1000 });
    const client = await rawClient(port);
    client.write(Buffer.concat([frame(oru('m1')), frame(oru('big', 'x'.repeat(200_000))), frame(oru('m3'))]));
    const answers = await client.answers(2);
    expect(answers.map((answer) => `${field(answer, 'MSA', 1)} ${field(answer, 'MSA', 2)}`)).toEqual([
      'AA m1',
      'AR big',
    ]);
    expect(await client.closed()).toEqual([]);
    await eventually(() => listener.connections() === 0);
    expect(inbox.arrivals).toHaveLength(1);
  });

  test('a connection that is lost before its answer leaves the answer undelivered', async () => {
    const { opened, open: keep } = gate();
    const inbox = recordingInbox(() => opened);
    const { port, listener } = await listening(inbox);
    const client = await rawClient(port);
    client.write(frame(oru('m1')));
    await eventually(() => inbox.arrivals.length === 1);
    client.socket.resetAndDestroy();
    await eventually(() => listener.connections() === 0);
    keep();
    await eventually(() => inbox.undelivered.length === 1);
    expect(inbox.sent).toEqual([]);
  });

  test('a sender that ends its side still gets its answers', async () => {
    const inbox = recordingInbox(() => pause(30));
    const { port } = await listening(inbox);
    const client = await rawClient(port);
    client.socket.end(frame(oru('m1')));
    expect((await client.closed()).map((answer) => field(answer, 'MSA', 2))).toEqual(['m1']);
  });

  test('a peer that takes no answers is closed', async () => {
    const inbox = recordingInbox();
    const { port, listener } = await listening(inbox, { writeTimeoutMs: 100 });
    const client = await rawClient(port);
    client.socket.pause();
    const many = Buffer.concat(range(500).map((id) => frame(oru(`${id}-${'i'.repeat(10_000)}`))));
    const writing = setInterval(() => client.socket.writable && client.socket.write(many), 5);
    await eventually(() => inbox.undelivered.length > 0).finally(() => clearInterval(writing));
    client.socket.destroy();
    await eventually(() => listener.connections() === 0);
  });
});

describe('silence', () => {
  test('between messages is healthy', async () => {
    const inbox = recordingInbox();
    const { port } = await listening(inbox, { stalledTimeoutMs: 50 });
    const client = await rawClient(port);
    for (const id of ['m1', 'm2']) {
      client.write(frame(oru(id)));
      expect(field((await client.answers(1))[0]!, 'MSA', 2)).toBe(id);
      await pause(200);
    }
    expect(client.socket.readyState).toBe('open');
    client.socket.destroy();
  });
  test('within a message ends the connection', async () => {
    const { port } = await listening(recordingInbox(), { stalledTimeoutMs: 50 });
    const client = await rawClient(port);
    client.write(frame(oru('m1')).subarray(0, 30));
    expect(await client.closed()).toEqual([]);
  });
  test('ends it too where a limit is set', async () => {
    const { port } = await listening(recordingInbox(), { idleTimeoutMs: 50 });
    const client = await rawClient(port);
    expect(await client.closed()).toEqual([]);
  });
  test('does not while a message is being kept', async () => {
    const inbox = recordingInbox(() => pause(200));
    const { port } = await listening(inbox, { idleTimeoutMs: 30 });
    const client = await rawClient(port);
    client.write(frame(oru('m1')));
    expect(await client.answers(1)).toHaveLength(1);
    client.socket.destroy();
  });
});

describe('who may connect', () => {
  test.each([
    ['an address', ['127.0.0.1'], true],
    ['a network', ['10.0.0.0/8', '127.0.0.0/8'], true],
    ['others', ['10.0.0.7', '::1'], false],
    ['nobody', [], false],
  ])('%s: %s', async (_, allow, welcome) => {
    const { port } = await listening(recordingInbox(), { allow });
    const client = await rawClient(port);
    client.write(frame(oru('m1')));
    expect(await client.answers(1)).toHaveLength(welcome ? 1 : 0);
    client.socket.destroy();
  });
  test('an IPv4 peer of an IPv6 socket is known by its address', async () => {
    const { port } = await listening(recordingInbox(), { host: '::', allow: ['127.0.0.1'] });
    const client = await rawClient(port);
    client.write(frame(oru('m1')));
    expect(await client.answers(1)).toHaveLength(1);
    client.socket.destroy();
  });
  test('what is no address is a clear error', () => {
    expect(() => createMllpListener({ allow: ['lab.local'] } as unknown as MllpListenerOptions)).toThrow(
      'lab.local is neither',
    );
    expect(() => createMllpListener({ charset: 'KLINGON' } as unknown as MllpListenerOptions)).toThrow(
      'KLINGON',
    );
  });
  test('no more than so many at a time', async () => {
    const { port, listener } = await listening(recordingInbox(), { maxConnections: 2 });
    const clients = [await rawClient(port), await rawClient(port)];
    await eventually(() => listener.connections() === 2);
    const third = await rawClient(port).catch(() => undefined);
    if (third !== undefined) expect(await third.closed()).toEqual([]);
    expect(listener.connections()).toBe(2);
    clients.forEach((client) => client.socket.destroy());
  });
});

describe('stop', () => {
  test('lets what was received be answered, then closes', async () => {
    const { opened, open: keep } = gate();
    const inbox = recordingInbox(() => opened);
    const { port, listener } = await listening(inbox, { maxInFlight: 2 });
    const client = await rawClient(port);
    client.write(Buffer.concat(range(4).map((id) => frame(oru(id)))));
    await eventually(() => inbox.arrivals.length === 2);
    const stopped = listener.stop();
    await expect(rawClient(port)).rejects.toThrow('ECONNREFUSED');
    keep();
    const answers = await client.closed();
    expect(answers.map((answer) => field(answer, 'MSA', 2))).toEqual(range(4));
    await stopped;
    expect(listener.connections()).toBe(0);
    expect(inbox.sent).toEqual(range(4));
  });
  test('does not wait for a peer that stays', async () => {
    const { port, listener } = await listening(recordingInbox());
    const client = await rawClient(port);
    client.socket.allowHalfOpen = true;
    await listener.stop();
    expect(listener.connections()).toBe(0);
    client.socket.destroy();
  });
  test('does not wait for ever for what cannot be kept', async () => {
    const inbox = recordingInbox(() => new Promise(() => undefined));
    const { port, listener } = await listening(inbox, { drainTimeoutMs: 50 });
    const client = await rawClient(port);
    client.write(frame(oru('m1')));
    await eventually(() => inbox.arrivals.length === 1);
    await listener.stop();
    expect(await client.closed()).toEqual([]);
  });
  test('twice is once', async () => {
    const { listener } = await listening(recordingInbox());
    await Promise.all([listener.stop(), listener.stop()]);
  });
});

test('a port that is taken is an error of start', async () => {
  const { port } = await listening(recordingInbox());
  await expect(listening(recordingInbox(), { port })).rejects.toThrow('EADDRINUSE');
});
