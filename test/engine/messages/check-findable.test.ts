// `checkStore` finds where messages are found by other than what stands in them, and nothing where they agree.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { hl7Format } from '../../../adapters/hl7/format.ts';
import { parseResource } from '../../../engine/fhir/exact-json.ts';
import { findableIn } from '../../../engine/messages/findable.ts';
import { createFormats } from '../../../engine/messages/formats.ts';
import { createIndexingKept } from '../../../engine/messages/index-kept.ts';
import { responseKey } from '../../../engine/messages/responses.ts';
import { usualSettings } from '../../../engine/messages/stages.ts';
import { checkStore } from '../../../engine/storage/sqlite/check-store.ts';
import { Connection } from '../../../engine/storage/sqlite/connection.ts';
import { arrivalOf, hl7, openHouse, until, type House } from './house.ts';

/** Three that are worked on (the third in a set of letters that only its channel names), one that waits. */
async function fill(folder: string): Promise<House> {
  const house = await openHouse(folder);
  const foreign = hl7({ controlId: '3' })
    .toString('latin1')
    .replace('UNICODE', '')
    .replace('Otieno', 'M\u00fcller');
  for (const raw of [hl7(), hl7({ controlId: '2' }), Buffer.from(foreign, 'latin1')]) {
    await house.inbox().receive(arrivalOf(raw));
  }
  const processor = house.processor({
    settingsOf: (channel) => ({ ...usualSettings(channel), charset: '8859/7' }),
  });
  processor.start();
  await until(async () => !Object.values(await house.states()).includes('received'));
  await processor.stop();
  await house.inbox().receive(arrivalOf(hl7({ controlId: '4' })));
  // As a message has that is a receiver's answer to a delivery.
  const answers = [{ name: responseKey, value: 'a-delivery' }];
  const first = (await house.messages()).at(-1);
  await house.store.transact(({ messages }) => messages.addKeys(first?.id ?? '', answers));
  return house;
}

async function problemsAfter(damage: string): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'kiungo-check-'));
  const { store, index } = await fill(folder);
  await store.close();
  const file = join(folder, 'kiungo.db');
  const connection = new Connection(file, { cacheKiB: 1_024, mapBytes: 0, busyTimeoutMs: 100 });
  connection.database.exec(damage);
  connection.close();
  const entriesOf = (body: string) => index.entries(parseResource(body));
  const problems = [...checkStore(file, entriesOf, findableIn(createFormats([hl7Format])))];
  rmSync(folder, { recursive: true });
  return problems;
}

const first = "(SELECT sequence FROM message WHERE control_id = '1')";
const wordsOf = (change: string): string =>
  `DELETE FROM message_words WHERE rowid = ${first}; INSERT INTO message_words (rowid, words) VALUES (${first}, '${change}')`;

/** One damage, and what is said about it. */
const damages: readonly (readonly [damage: string, problem: RegExp])[] = [
  [wordsOf('otieno'), /^message id-\S+ has other words in message_words$/],
  [`DELETE FROM message_words WHERE rowid = ${first}`, /^message id-\S+ is neither in message_words nor in message_unindexed$/],
  [`INSERT INTO message_words (rowid, words) VALUES (99, 'x')`, /^message number 99 is not there, but in message_words_docsize$/],
  [`DELETE FROM message_key WHERE name = 'patient' AND sequence = ${first}`, /^message id-\S+ lacks a key of patient in message_key$/],
  [`UPDATE message_key SET value = 'another' WHERE name = 'barcode' AND sequence = ${first}`, /^message id-\S+ lacks a key of barcode in message_key$/],
  [`UPDATE message_key SET value = 'another' WHERE name = 'barcode' AND sequence = ${first}`, /^message id-\S+ has a key of barcode in message_key that does not stand in it$/],
  [`INSERT INTO message_key VALUES ('device', 'another', ${first})`, /^message id-\S+ has a key of device in message_key that does not stand in it$/],
  [`INSERT INTO message_key VALUES ('device', 'x', 99)`, /^message number 99 is not there, but in message_key$/],
  [`INSERT INTO message_unindexed VALUES (99)`, /^message number 99 is not there, but in message_unindexed$/],
  [`INSERT INTO message_raw VALUES (99, x'00')`, /^message number 99 is not there, but in message_raw$/],
  [`INSERT INTO message_mapped VALUES (99, x'00')`, /^message number 99 is not there, but in message_mapped$/],
  [`INSERT INTO delivery_payload VALUES (99, x'00')`, /^delivery number 99 is not there, but in delivery_payload$/],
  [`INSERT INTO delivery_response VALUES (99, x'00')`, /^delivery number 99 is not there, but in delivery_response$/],
  [`INSERT INTO message_answer VALUES (99, x'00')`, /^message number 99 is not there, but in message_answer$/],
  [`UPDATE message_raw SET bytes = CAST(bytes || x'20' AS BLOB) WHERE sequence = ${first}`, /^message id-\S+ has other bytes than came$/],
  [`DELETE FROM message_raw WHERE sequence = ${first}`, /^message id-\S+ has no bytes, but words in message_words_docsize$/],
]; // prettier-ignore

test('says nothing where all agrees', async () => {
  expect(await problemsAfter('')).toEqual([]);
});

test.each(damages)('%s', async (damage, problem) => {
  expect(await problemsAfter(damage)).toContainEqual(expect.stringMatching(problem));
});

test('a message that was given up before it was read gets its keys with its words', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kiungo-check-'));
  const house = await openHouse(folder);
  await house.inbox().receive(arrivalOf(hl7()));
  const [kept] = await house.messages();
  await house.store.transact(({ messages }) => messages.change(kept?.id ?? '', { state: 'dead' }));
  const byPatient = { keys: [{ name: 'patient', value: '7393670' }], limit: 10, offset: 0 };
  expect((await house.store.messages.messages(byPatient)).total).toBe(0);
  const indexing = createIndexingKept(house);
  indexing.start();
  await indexing.idle();
  expect((await house.store.messages.messages(byPatient)).total).toBe(1);
  await house.close();
});
