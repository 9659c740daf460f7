// What one device on the laboratory's network can take from all others: nothing that they notice.
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

let listener: MllpListener;
afterEach(() => listener.stop());

async function listening(inbox: RecordingInbox, options: Partial<MllpListenerOptions> = {}): Promise<number> {
  listener = createMllpListener({
    ...{ inbox, host: '127.0.0.1', port: 0, channel: 'lab', clock: fixedClock, ids: countingIds() },
    logger: silentLogger,
    ...options,
  });
  return (await listener.start()).port;
}

async function eventually(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 500) throw new Error('it did not happen within 5 s');
    await pause(10);
  }
}

/** A message without its end. */
const unfinished = (id: string, length: number): Buffer => frame(oru(id, 'x'.repeat(length))).subarray(0, -2);

describe('connections of one address', () => {
  test('are closed beyond their number, and may come again when others have gone', async () => {
    const port = await listening(recordingInbox(), { maxConnectionsOfPeer: 2 });
    const [first] = [await rawClient(port), await rawClient(port)];
    const third = await rawClient(port);
    expect(await third.closed()).toEqual([]);
    expect(listener.connections()).toBe(2);
    first.socket.destroy();
    await eventually(() => listener.connections() === 1);
    const fourth = await rawClient(port);
    fourth.write(frame(oru('m1')));
    expect(field((await fourth.answers(1))[0] ?? '', 'MSA', 1)).toBe('AA');
  });
});

describe('messages that do not end', () => {
  test('give way together: who holds most is told to send again', async () => {
    const inbox = recordingInbox();
    const port = await listening(inbox, { maxUnfinishedBytes: 10_000 });
    const [small, large] = [await rawClient(port), await rawClient(port)];
    large.write(unfinished('large', 8000));
    small.write(unfinished('small', 1000));
    await pause(50);
    expect(listener.connections()).toBe(2);
    small.write('y'.repeat(2000));
    const [answer = ''] = await large.closed();
    expect([field(answer, 'MSA', 1), field(answer, 'MSA', 2)]).toEqual(['AE', 'large']);
    small.write(Buffer.of(0x1c, 0x0d));
    expect(field((await small.answers(1))[0] ?? '', 'MSA', 1)).toBe('AA');
    expect(inbox.arrivals).toHaveLength(1);
  });
});

describe('large messages of one connection', () => {
  test('wait in the network while as much as the largest one is being kept', async () => {
    const { promise: kept, resolve: keep } = Promise.withResolvers<undefined>();
    const inbox = recordingInbox(() => kept);
    const port = await listening(inbox, { maxFrameBytes: 50_000 });
    const client = await rawClient(port);
    for (let count = 0; count < 8; count += 1) client.write(frame(oru(`m${count}`, 'x'.repeat(40_000))));
    await eventually(() => inbox.arrivals.length === 2);
    await pause(100);
    expect(inbox.arrivals).toHaveLength(2);
    keep(undefined);
    expect(await client.answers(8)).toHaveLength(8);
  });
});
