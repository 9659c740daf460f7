// Searches over many messages: whatever is combined, all that fits is found in the end, in order and once, and no single look takes long.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { silentLogger } from '../../../engine/kernel/logger.ts';
import type { MessageFilter, MessageRecord, MessageState } from '../../../engine/storage/message-store.ts';
import { openSqliteStore } from '../../../engine/storage/sqlite/open.ts';
import type { Store } from '../../../engine/storage/store.ts';
import { record } from '../../contract/message-store.ts';

const many = 60_000;
const folder = mkdtempSync(join(tmpdir(), 'kiungo-messages-'));
let store: Store;

interface Kept {
  readonly message: MessageRecord;
  readonly text: string;
  readonly keys: Readonly<Record<string, string>>;
}

const stateOf = (at: number): MessageState =>
  at % 500 === 7 ? 'dead' : at % 50 === 9 ? 'received' : at % 3 === 0 ? 'set-aside' : 'processed';

const nameOf = (at: number): string => {
  if (at % 11_000 === 5) return "Otiéno^N'gang'a";
  if (at % 11_000 === 6) return 'Otienowa';
  return at % 2 === 0 ? 'Wanjiru^Mary' : 'Kamau^WANJIRU';
};

/** Two of three messages are in the index of words, and of the rest every other is found by its bytes in Latin-1. */
const isIndexed = (at: number): boolean => at % 3 !== 0;
const encodingOf = (at: number): 'latin1' | 'utf8' => (at % 2 === 0 ? 'latin1' : 'utf8');

/** Message `at` of the model: times that repeat, one device for all, a patient for each 20,000th. */
const kept = (at: number): Kept => ({
  message: record(`m${at}`, {
    channel: at % 10 === 0 ? 'ward' : 'lab',
    messageType: at % 4 === 0 ? 'ADT^A08' : 'ORU^R01',
    controlId: '1',
    receivedAt: 1_000 + Math.floor(at / 3),
    state: stateOf(at),
    effects: at % 7 === 0 ? [`Observation/${at}/_history/1`] : [],
  }),
  text: `PID|1||${nameOf(at)}\rOBX|1|NM|6690-2^WBC||${at}.5`,
  keys: { device: 'BC-5380', patient: `P${at % 20_000}` },
});

beforeAll(async () => {
  const file = join(folder, 'tenant.db');
  store = await openSqliteStore({ file, clock: { now: () => 1_000 }, logger: silentLogger });
  for (let from = 0; from < many; from += 5_000) {
    await store.transact(async ({ messages }) => {
      for (let at = from; at < from + 5_000; at += 1) {
        const { message, text, keys } = kept(at);
        await messages.keep(message, Buffer.from(text, encodingOf(at)));
        if (isIndexed(at)) await messages.indexText(message.id, text);
        await messages.addKeys(
          message.id,
          Object.entries(keys).map(([name, value]) => ({ name, value })),
        );
      }
    });
  }
}, 120_000);
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

type Asked = Omit<MessageFilter, 'limit' | 'offset'>;

const folded = (text: string): string =>
  text
    .normalize('NFD')
    .replace(/[\u0300-\u036f']/g, '')
    .toLowerCase();

/** As the port says, by expressions: each word or piece begins where a word begins, and ends where one ends unless it is open. */
function hasText(text: string, asked: string): boolean {
  const pieces = asked.match(/"[^"]*"|[^ ]+/g) ?? [];
  return pieces.every((piece, at) => {
    const isOpen = !piece.startsWith('"') && (at === pieces.length - 1 || piece.endsWith('*'));
    const wanted = folded(piece.replaceAll(/^"|"$|\*$/g, '')).replaceAll(/[^a-z0-9 ]/g, '\\$&');
    const end = isOpen || /[^a-z0-9]$/.test(wanted) ? '' : '(?![a-z0-9])';
    const begin = /^[a-z0-9]/.test(wanted) ? '(?<![a-z0-9])' : '';
    return new RegExp(begin + wanted + end).test(folded(text));
  });
}

/** The ids that the model says, newest first. */
function expected(filter: Asked): readonly string[] {
  const fits = ({ message, text, keys }: Kept): boolean =>
    (['channel', 'state', 'messageType', 'controlId'] as const).every(
      (field) => filter[field] === undefined || filter[field] === message[field],
    ) &&
    message.receivedAt >= (filter.from ?? 0) &&
    message.receivedAt < (filter.to ?? Infinity) &&
    hasText(text, filter.text ?? '') &&
    (filter.effect === undefined || message.effects.includes(filter.effect)) &&
    (filter.keys ?? []).every(({ name, value }) => keys[name] === value);
  return Array.from({ length: many }, (_, at) => kept(at))
    .filter(fits)
    .map(({ message }) => message.id)
    .reverse();
}

/** Page after page until the end, by `next` where it is given and by offset where not. */
async function found(filter: Asked, limit: number): Promise<readonly string[]> {
  const ids: string[] = [];
  let place: { offset: number; continue?: string } = { offset: 0 };
  for (;;) {
    const { items, next, searchedUntil } = await store.messages.messages({ ...filter, ...place, limit });
    expect(searchedUntil === undefined).toBe(next === undefined);
    ids.push(...items.map(({ id }) => id));
    if (next === undefined && (items.length < limit || place.continue !== undefined)) return ids;
    place = next === undefined ? { offset: ids.length } : { offset: 0, continue: next };
  }
}

const device = { name: 'device', value: 'BC-5380' };

describe('pages', () => {
  test.each([
    ['a rare state of a channel', { channel: 'lab', state: 'dead' }],
    ['a state and a type', { state: 'dead', messageType: 'ORU^R01' }],
    ['a channel and a type, many of both', { channel: 'ward', messageType: 'ADT^A08' }],
    ['the same control id everywhere, within a span', { controlId: '1', from: 5_000, to: 5_100 }],
    ['the same control id everywhere, of a state', { controlId: '1', state: 'dead' }],
    ['a key that all have, and a state', { keys: [device], state: 'set-aside', channel: 'ward' }],
    ['a key that all have, and a span', { keys: [device], from: 5_000, to: 5_010 }],
    ['a key that all have, and one that few have', { keys: [device, { name: 'patient', value: 'P17' }] }],
    ['a word that few have, or its longer ones', { text: 'otieno' }],
    ['the beginning of a word', { text: 'oti' }],
    ['the beginning of a word, and another', { text: 'otien* nganga' }],
    ['a whole word, and another', { text: 'Otieno WBC' }],
    ['a word in quotes is whole', { text: '"otieno"' }],
    ['a word that all have, of a span', { text: 'wbc', from: 5_000, to: 5_100 }],
    ['a word that most have, in a rare state', { text: 'wanjiru', state: 'dead' }],
    ['two words that most have, in a state that many are in', { text: 'wanjiru mary', state: 'set-aside' }],
    ['words that nothing has together', { text: 'otienowa mary' }],
    ['a text that nothing has', { text: 'Achieng' }],
    ['a text in a state', { text: 'Otieno', state: 'processed' }],
    ['a text and a key that all have', { text: 'Otieno', keys: [device] }],
    ['a text and a key that few have', { text: 'wanjiru', keys: [{ name: 'patient', value: 'P17' }] }],
    ['with punctuation, and that few have', { text: 'PID|1||Otieno' }],
    ['a code, and what it is a piece of', { text: '6690-2^WBC otieno' }],
    ['what stands otherwise', { text: '2^6690 otieno' }],
    ['punctuation first', { text: '||59999.' }],
    ['the beginning of a number that many have', { text: '"kamau wanjiru" 599' }],
    ['the beginning of a number that very many have', { text: '5', channel: 'ward', state: 'dead' }],
    ['punctuation alone', { text: '|.', to: 1_003 }],
    ['what caused a version of a resource', { effect: 'Observation/7/_history/1' }],
  ] satisfies readonly (readonly [string, Asked])[])('%s', async (_name, filter) => {
    const ids = await found(filter, 500);
    expect(ids).toEqual(expected(filter));
  });

  test('one far behind is the same, however often the way there was interrupted', async () => {
    const filter = { channel: 'ward', state: 'set-aside', keys: [device] } as const;
    const ids: string[] = [];
    for (let token: string | undefined, begun = false; !begun || token !== undefined; begun = true) {
      const place = token === undefined ? { offset: 1_990 } : { offset: 0, continue: token };
      const page = await store.messages.messages({ ...filter, ...place, limit: 500 });
      ids.push(...page.items.map(({ id }) => id));
      token = page.next;
    }
    expect(ids).toEqual(expected(filter).slice(1_990));
  });

  test('small ones give the same', async () => {
    const filter = { state: 'dead', keys: [device], from: 1_000 } as const;
    expect(await found(filter, 7)).toEqual(expected(filter));
  });
});

test('a look that does not get to the end says so, and how far it got; what it costs has a limit', async () => {
  const begin = performance.now();
  const { items, isAtLeast, next, searchedUntil } = await store.messages.messages({
    text: '~~',
    controlId: '1',
    limit: 10,
    offset: 0,
  });
  expect(performance.now() - begin).toBeLessThan(2_000);
  expect([items, isAtLeast]).toEqual([[], true]);
  expect(next).toBeDefined();
  expect(searchedUntil).toBeGreaterThan(1_000);
});

test.each(['', 'time', 'time-1-2', 'late-1-2-0', "time-1-1'"])(
  '%j is no place to go on from',
  async (token) => {
    const asked = store.messages.messages({ text: 'x', limit: 1, offset: 0, continue: token });
    await expect(asked).rejects.toMatchObject({ code: 'bad-request' });
  },
);

test('others get their turn while it looks', async () => {
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 1);
  await store.messages.messages({ text: '~~', limit: 1, offset: 0 });
  clearInterval(timer);
  expect(turns).toBeGreaterThan(5);
});
