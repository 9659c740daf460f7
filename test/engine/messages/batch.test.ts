// A batch at the inbox: each message inside is kept, answered and processed on its own, and all of them or none are there.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Receipt } from '../../../engine/messages/ports.ts';
import { usualSettings } from '../../../engine/messages/stages.ts';
import { arrivalOf, hl7, openHouse, until, type House } from './house.ts';

let house: House;
beforeEach(async () => {
  house = await openHouse();
});
afterEach(() => house.close());

const batchOf = (...messages: readonly Buffer[]): Buffer =>
  Buffer.concat([
    Buffer.from('BHS|^~\\&|BC-5380|Mindray|LIS|Ward|20261121120000||||B7\r'),
    ...messages,
    Buffer.from(`BTS|${messages.length}\r`),
  ]);
const three = batchOf(...['1', '2', '3'].map((controlId) => hl7({ controlId, specimen: `S${controlId}` })));

/** Segment names of the answer, with MSA-1 and MSA-2, without the MSH of each acknowledgement. */
const shape = ({ answers }: Receipt): readonly string[] =>
  answers
    .flatMap((answer) => Buffer.from(answer).toString().split('\r'))
    .filter((line) => line !== '' && !line.startsWith('MSH') && !line.startsWith('ERR'))
    .map((line) => (line.startsWith('MSA') ? line.split('|').slice(1, 3).join(' ') : line.split('|')[0]!));

describe('each message of a batch', () => {
  test('is kept with a state of its own, and acknowledged in the batch that answers', async () => {
    const receipt = await house.inbox().receive(arrivalOf(three));
    house = await house.reopened();
    const kept = await house.messages();
    expect(kept.map(({ controlId }) => controlId).sort()).toEqual(['1', '2', '3']);
    expect(new Set(kept.map(({ batch }) => batch))).toEqual(new Set([receipt.batchId]));
    expect(shape(receipt)).toEqual(['BHS', 'AA 1', 'AA 2', 'AA 3', 'BTS']);
  });

  test('is processed in its order; one that cannot be does not hold the others', async () => {
    const batch = batchOf(
      hl7({ controlId: '1' }),
      hl7({ controlId: '2', value: 'BAD' }),
      hl7({ controlId: '3' }),
    );
    await house.inbox().receive(arrivalOf(batch));
    const processor = house.processor();
    processor.start();
    await until(async () => !Object.values(await house.states()).includes('received'));
    await processor.stop();
    expect(await house.states()).toEqual({ 1: 'processed', 2: 'dead', 3: 'processed' });
  });

  test('that cannot be read is refused alone', async () => {
    const broken = Buffer.from('MSH|^~\\&|A|B|C|D|20261121|||9|P|2.3.1\r');
    const receipt = await house.inbox().receive(arrivalOf(batchOf(hl7(), broken)));
    expect(shape(receipt)).toEqual(['BHS', 'AA 1', 'AR 9', 'BTS']);
    expect(Object.values(await house.states()).sort()).toEqual(['dead', 'received']);
  });

  test('has the fate of the one answer', async () => {
    const inbox = house.inbox();
    (await inbox.receive(arrivalOf(three))).answered('sent');
    await inbox.stop();
    expect((await house.messages()).map(({ acknowledgement }) => acknowledgement)).toEqual([
      'sent',
      'sent',
      'sent',
    ]);
  });
});

describe('once', () => {
  test('a batch that comes again is answered again, and nothing is kept twice', async () => {
    const inbox = house.inbox();
    const first = await inbox.receive(arrivalOf(three));
    const second = await inbox.receive(arrivalOf(three));
    expect(shape(second)).toEqual(shape(first));
    expect(second.batchId).toBe(first.batchId);
    expect(await house.messages()).toHaveLength(3);
  });

  test('a batch that brings some of what is here keeps the rest', async () => {
    const inbox = house.inbox();
    await inbox.receive(arrivalOf(hl7({ controlId: '2', specimen: 'S2' })));
    const receipt = await inbox.receive(arrivalOf(three));
    expect(shape(receipt)).toEqual(['BHS', 'AA 1', 'AA 2', 'AA 3', 'BTS']);
    expect(await house.messages()).toHaveLength(3);
  });

  test('when the commit fails none of it is kept, and none is acknowledged', async () => {
    const { messages, journal } = house.store;
    const failing = {
      messages,
      journal,
      isHeldUp: () => false,
      transact: <T>(work: Parameters<typeof house.store.transact<T>>[0]) =>
        house.store.transact<T>(async (transaction) => {
          await work(transaction);
          throw new Error('power cut');
        }),
    };
    await expect(house.inbox({ store: failing }).receive(arrivalOf(three))).rejects.toThrow('power cut');
    expect(await house.messages()).toEqual([]);
  });

  test('a file without control ids is the same file when it is read again much later', async () => {
    const inbox = house.inbox();
    const anonymous = Buffer.concat([hl7({ controlId: '' }), hl7({ controlId: '', value: '3' })]);
    const file = { ...arrivalOf(anonymous), peer: 'results.hl7 2026-11-21T12:00:00Z', isFile: true };
    await inbox.receive(file);
    house.clock.advance(86_400_000);
    await inbox.receive(file);
    expect(await house.messages()).toHaveLength(2);
    await inbox.receive({ ...file, peer: 'results.hl7 2026-11-22T12:00:00Z' });
    expect(await house.messages()).toHaveLength(4);
    await inbox.receive({ ...file, peer: 'results.hl7 2026-11-22T12:00:00Z' });
    expect(await house.messages()).toHaveLength(4);
  });
});

describe('what a batch is answered with', () => {
  const broken = Buffer.from('MSH|^~\\&|A|B|C|D|20261121|||9|P|2.3.1\r');
  const acknowledgement = Buffer.from('MSH|^~\\&|A|B|C|D|20261121||ACK^R01|9|P|2.3.1\rMSA|AA|7\r');
  test.each([
    ['all', batchOf(hl7(), broken), ['BHS', 'AA 1', 'AR 9', 'BTS']],
    ['refused', batchOf(hl7(), broken), ['BHS', 'AR 9', 'BTS']],
    ['refused', batchOf(hl7()), ['BHS', 'BTS']],
    ['none', batchOf(hl7(), broken), []],
    // Enhanced mode, and no message asks for anything.
    ['all', batchOf(hl7({ wishes: ['NE', 'NE'] })), []],
    ['all', batchOf(acknowledgement), []],
    ['all', batchOf(), ['BHS', 'BTS']],
  ] as const)('%s', async (batchAnswers, batch, expected) => {
    const settingsOf = (channel: string) => ({ ...usualSettings(channel), batchAnswers });
    expect(shape(await house.inbox({ settingsOf }).receive(arrivalOf(batch)))).toEqual(expected);
  });

  test('a batch that is not what was sent is kept whole, and each message is refused', async () => {
    const short = Buffer.concat([three.subarray(0, three.indexOf('BTS')), Buffer.from('BTS|4\r')]);
    const receipt = await house.inbox().receive(arrivalOf(short));
    expect(shape(receipt)).toEqual(['BHS', 'AR 1', 'AR 2', 'AR 3', 'BTS']);
    const [kept, ...others] = await house.messages();
    expect(others).toEqual([]);
    expect(kept).toMatchObject({ state: 'dead', controlId: 'B7', reason: { code: 'hl7-batch-count' } });
    expect(Buffer.from((await house.store.messages.raw(kept!.id))!)).toEqual(short);
  });

  test('an empty batch is set aside', async () => {
    await house.inbox().receive(arrivalOf(batchOf()));
    expect((await house.messages())[0]).toMatchObject({
      state: 'set-aside',
      reason: { code: 'batch-empty' },
    });
  });
});
