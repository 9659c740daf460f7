// The inbox: kept before acknowledged, once, and the fate of each answer is known.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Receipt } from '../../../engine/messages/ports.ts';
import type { MessageRecord } from '../../../engine/storage/message-store.ts';
import { arrivalOf, hl7, msa, openHouse, until, type House } from './house.ts';

let house: House;
beforeEach(async () => {
  house = await openHouse();
});
afterEach(() => house.close());

const texts = ({ answers }: Receipt): readonly string[] =>
  answers.map((answer) => Buffer.from(answer).toString());

const only = async (): Promise<MessageRecord> => {
  const [message, ...others] = await house.messages();
  expect(others).toEqual([]);
  return message!;
};

describe('kept, then acknowledged', () => {
  test('bytes, envelope and answer are durable when the receipt is there', async () => {
    const raw = hl7({ controlId: '42' });
    const receipt = await house.inbox().receive(arrivalOf(raw));
    house = await house.reopened();
    const message = await only();
    expect(message).toMatchObject({
      id: receipt.messageId,
      channel: 'lab',
      controlId: '42',
      messageType: 'ORU^R01',
      format: 'application/hl7-v2',
      state: 'received',
      acknowledgement: 'pending',
      size: raw.byteLength,
      effects: [],
    });
    expect(Buffer.from((await house.store.messages.raw(message.id))!)).toEqual(raw);
    expect(msa(receipt.answers)).toEqual(['AA 42']);
    expect(Buffer.from(message.answer!)).toEqual(Buffer.from(receipt.answers[0]!));
  });

  test.each([
    [['', ''], ['AA 1'], 'pending'],
    [['NE', 'AL'], ['AA 1'], 'pending'],
    [['AL', 'NE'], ['CA 1'], 'pending'],
    [['AL', 'AL'], ['CA 1', 'AA 1'], 'pending'],
    [['ER', 'AL'], ['AA 1'], 'pending'],
    [['ER', 'NE'], [], 'not-owed'],
    // Mindray BS writes the kind of sample into MSH-16.
    [['', '2'], ['AA 1'], 'pending'],
  ] as const)('MSH-15/16 %j is answered %j', async (wishes, answers, acknowledgement) => {
    const receipt = await house.inbox().receive(arrivalOf(hl7({ wishes })));
    expect(msa(receipt.answers)).toEqual(answers);
    expect((await only()).acknowledgement).toBe(acknowledgement);
  });

  test('a channel whose device knows only AA gets it', async () => {
    const settingsOf = () => ({ acknowledgements: 'application-only', charset: undefined }) as const;
    const receipt = await house.inbox({ settingsOf }).receive(arrivalOf(hl7({ wishes: ['AL', 'NE'] })));
    expect(msa(receipt.answers)).toEqual(['AA 1']);
  });

  test('what cannot be read is kept as dead with its reason, and answered AR', async () => {
    const receipt = await house.inbox().receive(arrivalOf(Buffer.from('EHLO lab\r')));
    const message = await only();
    expect(message.state).toBe('dead');
    expect(message.reason?.code).toBeTruthy();
    expect(Buffer.from(receipt.answers[0]!).toString()).toContain('MSA|AR');
  });

  test('an acknowledgement is kept and not answered', async () => {
    const raw = Buffer.from('MSH|^~\\&|A|B|C|D|20261121||ACK^R01|9|P|2.3.1\rMSA|AA|7\r');
    const receipt = await house.inbox().receive(arrivalOf(raw));
    expect(receipt.answers).toEqual([]);
    expect((await only()).acknowledgement).toBe('not-owed');
  });

  test('an unknown media type is refused, and nothing is kept', async () => {
    const arrival = { ...arrivalOf(hl7()), mediaType: 'text/html' };
    await expect(house.inbox().receive(arrival)).rejects.toMatchObject({ code: 'unsupported-media-type' });
    expect(await house.messages()).toEqual([]);
  });

  test('it calls for the processor after each message', async () => {
    let calls = 0;
    await house.inbox({ wake: () => (calls += 1) }).receive(arrivalOf(hl7()));
    expect(calls).toBe(1);
  });
});

describe('once', () => {
  const hour = 3_600_000;
  test.each<[string, Buffer, Buffer, string, string, number, number]>([
    ['the same bytes again', hl7(), hl7(), 'lab', 'lab', hour, 1],
    ['the same control id over other bytes', hl7(), hl7({ value: '3.1' }), 'lab', 'lab', 0, 2],
    ['the same bytes from another channel', hl7(), hl7(), 'lab', 'lab-2', 0, 2],
    ['no control id, at once', hl7({ controlId: '' }), hl7({ controlId: '' }), 'lab', 'lab', 60_000, 1],
    ['no control id, an hour later', hl7({ controlId: '' }), hl7({ controlId: '' }), 'lab', 'lab', hour, 2],
  ])('%s', async (_name, first, second, channel, otherChannel, later, kept) => {
    const inbox = house.inbox();
    const one = await inbox.receive(arrivalOf(first, channel));
    house.clock.advance(later);
    const two = await inbox.receive(arrivalOf(second, otherChannel));
    expect(await house.messages()).toHaveLength(kept);
    expect(two.messageId === one.messageId).toBe(kept === 1);
    if (kept === 1) expect(texts(two)).toEqual(texts(one));
  });

  test('of copies that come together one is kept, and all are answered alike', async () => {
    const inbox = house.inbox();
    const raw = hl7({ wishes: ['AL', 'AL'] });
    const receipts = await Promise.all(Array.from({ length: 10 }, () => inbox.receive(arrivalOf(raw))));
    await only();
    expect(new Set(receipts.map((receipt) => texts(receipt).join())).size).toBe(1);
    expect(msa(receipts[9]!.answers)).toEqual(['CA 1', 'AA 1']);
  });
});

describe('the fate of an answer', () => {
  const fate = async (): Promise<string> => (await only()).acknowledgement;

  test.each(['sent', 'undelivered'] as const)('%s is written within the patience', async (outcome) => {
    const receipt = await house.inbox({ fatePatienceMs: 20 }).receive(arrivalOf(hl7()));
    receipt.answered(outcome);
    await until(async () => (await fate()) === outcome);
  });

  test('it goes along with the next message, and with stop', async () => {
    const inbox = house.inbox({ fatePatienceMs: 60_000 });
    (await inbox.receive(arrivalOf(hl7({ controlId: '1' })))).answered('sent');
    (await inbox.receive(arrivalOf(hl7({ controlId: '2' })))).answered('undelivered');
    const byId = async () =>
      Object.fromEntries((await house.messages()).map((one) => [one.controlId, one.acknowledgement]));
    expect(await byId()).toEqual({ 1: 'sent', 2: 'pending' });
    await inbox.stop();
    expect(await byId()).toEqual({ 1: 'sent', 2: 'undelivered' });
  });

  test('after a power cut it stays pending: nobody knows', async () => {
    (await house.inbox({ fatePatienceMs: 60_000 }).receive(arrivalOf(hl7()))).answered('sent');
    house = await house.reopened();
    expect(await fate()).toBe('pending');
  });

  test.each([
    ['sent', 'undelivered', 'sent'],
    ['undelivered', 'sent', 'sent'],
  ] as const)('%s, and %s when repeated: %s', async (first, second, known) => {
    const inbox = house.inbox();
    (await inbox.receive(arrivalOf(hl7()))).answered(first);
    await inbox.stop();
    (await inbox.receive(arrivalOf(hl7()))).answered(second);
    await inbox.stop();
    expect(await fate()).toBe(known);
  });
});
