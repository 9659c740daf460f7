// Words in messages: found from arrival on, by the index once they are worked on, and gone with the bytes.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { fhirFormat } from '../../../engine/messages/fhir-format.ts';
import { createIndexingKept } from '../../../engine/messages/index-kept.ts';
import { textOf } from '../../../engine/messages/message-text.ts';
import { createRetention } from '../../../engine/messages/retention.ts';
import { usualSettings, type SettingsOf } from '../../../engine/messages/stages.ts';
import { hl7Format } from '../../../adapters/hl7/format.ts';
import { arrivalOf, hl7, openHouse, until, type House } from './house.ts';

let house: House;
beforeEach(async () => {
  house = await openHouse();
});
afterEach(() => house.close());

const found = async (text: string): Promise<readonly string[]> => {
  const { items } = await house.store.messages.messages({ text, limit: 100, offset: 0 });
  return items.map(({ controlId }) => controlId);
};

const notIndexed = async (): Promise<readonly string[]> =>
  (await house.store.messages.unindexed(100)).map(({ controlId }) => controlId);

async function processed(raw: Buffer, settingsOf: SettingsOf = usualSettings): Promise<string> {
  const { messageId } = await house.inbox().receive(arrivalOf(raw));
  const processor = house.processor({ settingsOf });
  processor.start();
  await until(async () => (await house.store.messages.message(messageId))?.state !== 'received');
  await processor.stop();
  return messageId;
}

const settings =
  (change: Partial<ReturnType<SettingsOf>>): SettingsOf =>
  (channel) => ({ ...usualSettings(channel), ...change });

const letters = (name: string): Buffer => {
  const raw = hl7().toString('latin1').replace('Otieno^Achieng', name).replace('UNICODE', '8859/1');
  return Buffer.from(raw, 'latin1');
};

/** What stands in PID-5, and what finds it. */
const written: readonly (readonly [name: string, texts: readonly string[], not: readonly string[]])[] = [
  ['Otieno^Achieng', ['otieno', 'ACHIENG otie', 'Otieno^Ach', '"otieno^achieng"'], ['tieno', '"otie"']],
  ["M\u00fcller^Ng'ang'a", ['muller', 'M\u00fcller', 'nganga', "Ng'ang'a", 'M\u00fcller^Ng'], ['mueller']],
  ['Mwangi \\T\\ Sons', ['sons mwangi', '"Mwangi & Sons"', 'mwangi &'], ['mwangisons']],
  ['Ki\\X70\\roti', ['kiproti', 'kip'], ['roti']],
];

const expectFound = async (texts: readonly string[], ids: readonly string[]): Promise<void> => {
  for (const text of texts) expect([text, await found(text)]).toEqual([text, ids]);
};

test.each(written)(
  '%s is found once it is worked on, and not by what it is not',
  async (name, texts, not) => {
    await processed(letters(name));
    expect(await notIndexed()).toEqual([]);
    await expectFound(texts, ['1']);
    await expectFound(not, []);
  },
);

/** Characters in hexadecimal are read only then. */
const readAsItLies = written.filter(([name]) => !name.includes('\\X'));

test.each(readAsItLies)('%s is found while it waits', async (name, texts, not) => {
  await house.inbox().receive(arrivalOf(letters(name)));
  await expectFound(texts, ['1']);
  await expectFound(not, []);
});

test('what is dead is found too, read or not', async () => {
  await processed(hl7({ controlId: 'bad', value: 'BAD' }));
  await processed(hl7({ controlId: 'defect', value: 'DEFECT' }));
  expect(await found('otieno')).toEqual(['defect', 'bad']);
  expect(await notIndexed()).toEqual(['defect']);
});

test('a channel without index is looked through', async () => {
  await processed(hl7(), settings({ textIndex: false }));
  expect([await notIndexed(), await found('otieno')]).toEqual([['1'], ['1']]);
});

test('nothing is found of bytes that were let go of', async () => {
  await processed(hl7({ controlId: 'facts' }), settings({ storage: 'facts' }));
  const id = await processed(hl7({ controlId: 'dropped' }));
  await house.store.transact(({ messages }) => messages.dropBody(id));
  expect([await notIndexed(), await found('otieno')]).toEqual([[], []]);
});

test('a purge takes the words along', async () => {
  await processed(hl7());
  house.clock.advance(91 * 86_400_000);
  await createRetention(house).run();
  await processed(letters('Wanjiru'));
  expect([await found('otieno'), await found('wanjiru')]).toEqual([[], ['1']]);
});

test('what is replayed under other settings is found by what it says now', async () => {
  const id = await processed(hl7());
  await house.store.transact(async ({ messages }) => {
    await messages.indexText(id, 'something else');
    await messages.change(id, { state: 'set-aside' });
  });
  expect([await found('otieno'), await found('else')]).toEqual([[], ['1']]);
});

test('what a transaction did not finish is not in the index', async () => {
  const id = await processed(hl7(), settings({ textIndex: false }));
  const broken = house.store.transact(async ({ messages }) => {
    await messages.indexText(id, 'nonsense');
    throw new Error('broken off');
  });
  await expect(broken).rejects.toThrow('broken off');
  expect([await found('nonsense'), await found('otieno')]).toEqual([[], ['1']]);
});

test('a search in a transaction sees what the transaction did', async () => {
  const id = await processed(hl7(), settings({ textIndex: false }));
  const items = await house.store.transact(async ({ messages }) => {
    await messages.indexText(id, 'brand new');
    return (await messages.messages({ text: 'brand', limit: 1, offset: 0 })).items;
  });
  expect(items).toHaveLength(1);
});

test('text that is too long is refused', async () => {
  await expect(found('x'.repeat(501))).rejects.toMatchObject({ code: 'bad-request' });
});

test('what was kept before is indexed in the background, but for what waits and what wants no index', async () => {
  const none = settings({ textIndex: false });
  for (let at = 0; at < 120; at += 1) await processed(hl7({ controlId: `c${at}` }), none);
  await house.inbox().receive(arrivalOf(hl7({ controlId: 'waits' })));
  const indexing = createIndexingKept(house);
  indexing.start();
  await indexing.idle();
  expect(await notIndexed()).toEqual([]);
  expect(await found('otieno')).toHaveLength(100);
  await processed(hl7({ controlId: 'later' }), none);
  const other = createIndexingKept({ ...house, settingsOf: none });
  other.start();
  await other.idle();
  expect(await notIndexed()).toContain('later');
});

describe('the text of a message', () => {
  const text = (raw: Buffer): string => {
    const wire = hl7Format.parse(raw).message;
    if (wire === undefined) throw new Error('the test message cannot be read');
    return textOf({ raw, wire });
  };

  test('leaves encoded data out, however long, and keeps long reports', () => {
    const pdf = Buffer.alloc(300_000, 'pdf').toString('base64');
    const report = 'Leucocytes are low. '.repeat(1_000);
    const told = text(hl7({ value: `^application^pdf^Base64^${pdf}|||${report}` }));
    expect(told).toContain('Leucocytes');
    expect(told.length).toBeLessThan(25_000);
  });

  test('with many escapes in one field takes time that grows with it', () => {
    const begin = performance.now();
    text(hl7({ value: 'a b\\T\\^'.repeat(50_000) }));
    expect(performance.now() - begin).toBeLessThan(2_000);
  });

  test('of FHIR is the JSON', () => {
    const raw = Buffer.from('{"resourceType":"Bundle","type":"transaction","entry":[]}');
    const wire = fhirFormat.parse(raw).message!;
    expect(textOf({ raw, wire })).toBe(raw.toString());
  });
});
