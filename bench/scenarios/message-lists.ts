// How long the lists of messages take that operators ask for, over a store with many: BENCH_MESSAGES says how many.
import { join } from 'node:path';
import { silentLogger } from '../../engine/kernel/logger.ts';
import type { MessageFilter, MessageRecord, MessageState } from '../../engine/storage/message-store.ts';
import { openSqliteStore } from '../../engine/storage/sqlite/open.ts';
import type { Store } from '../../engine/storage/store.ts';
import { newFolder } from '../engine.ts';
import type { Figure } from '../report.ts';

const count = Number(process.env['BENCH_MESSAGES'] ?? 200_000);
const targetMs = 200;
const start = Date.UTC(2026, 0, 1);
const everyMs = 10_000;
const results = 'OBX|1|NM|6690-2^WBC^LN||5.1|10*3/uL\r'.repeat(20);

/** One of ten names in each, a rare one in 1 of 100,000, and a ward with a third of all. */
const names = 'Otieno Wanjiru Achieng Mwangi Kamau Njeri Odhiambo Atieno Kiprop Chebet'.split(' ');
const textOf = (at: number): string =>
  `MSH|^~\\&|LAB\rPID|1||P${at % 20_000}||${at % 100_000 === 5 ? 'Zawadi' : ''}^${names[at % 10]}\rPV1|1|I|W${at % 3}^${at < count / 2 ? 'old' : 'new'}\r${results}`;

const rare: readonly [number, MessageState][] = [
  [1_000, 'dead'],
  [97, 'set-aside'],
];

const recordOf = (at: number): MessageRecord => ({
  id: `m${at}`,
  channel: at % 50_000 === 0 ? 'quiet' : `lab-${at % 8}`,
  peer: '10.0.0.7:4711',
  receivedAt: start + at * everyMs,
  controlId: `C${at}`,
  messageType: 'ORU^R01',
  format: 'application/hl7-v2',
  digest: `d${at}`,
  size: results.length,
  state: rare.find(([every]) => at % every === 0)?.[1] ?? 'processed',
  reason: undefined,
  attempts: 0,
  dueAt: 0,
  acknowledgement: 'sent',
  answer: undefined,
  map: 'ORU_R01',
  effects: [`DiagnosticReport/r${at}/_history/1`],
  replayOf: undefined,
  batch: undefined,
  changedBy: undefined,
});

const questions: Readonly<Record<string, Partial<MessageFilter>>> = {
  'the newest': {},
  'a channel': { channel: 'lab-3' },
  'a quiet channel': { channel: 'quiet' },
  'a state': { state: 'processed' },
  'the dead': { state: 'dead' },
  'the dead of a channel': { channel: 'lab-3', state: 'dead' },
  'the dead of a quiet channel': { channel: 'quiet', state: 'dead' },
  'a day': { from: start + 86_400_000, to: start + 2 * 86_400_000 },
  'a channel on a day': { channel: 'lab-5', from: start + 86_400_000, to: start + 2 * 86_400_000 },
  'a control id': { controlId: `C${Math.trunc(count / 2)}` },
  'a patient': { keys: [{ name: 'patient', value: 'P77' }] },
  'a ward with a third of all': { keys: [{ name: 'ward', value: 'W1' }] },
  'a patient in a ward': {
    keys: [
      { name: 'patient', value: 'P77' },
      { name: 'ward', value: 'W1' },
    ],
  },
  'a type': { messageType: 'ORU^R01' },
  'a type that is in none': { messageType: 'ADT^A40' },
  'a reason that is in none': { reason: 'defect' },
  'a word that is in none': { text: 'Kerubo' },
  'words that are in none together': { text: 'old new' },
  'a rare word': { text: 'zawadi' },
  'a rare word and one that all have': { text: 'wbc zawadi' },
  'a word that all have': { text: 'wbc' },
  'the beginning of a word that a tenth have': { text: 'otie' },
  'the beginning of many numbers': { text: 'P7' },
  'a word that a tenth have, among the dead': { text: 'otieno', state: 'dead' },
  'a word that a tenth have, among what is set aside': { text: '"otieno"', state: 'set-aside' },
  'a word that a tenth have, of a channel': { text: 'otieno', channel: 'lab-2' },
  'a word that a third have, of a patient': {
    text: '"w1"',
    keys: [{ name: 'patient', value: 'P77' }],
  },
  'with punctuation, in a tenth': { text: 'otieno\rPV1' },
  'in quotes, in a third': { text: '"W1^new"' },
  'punctuation that is in none': { text: '~~' },
  'page 1000 of a state': { state: 'processed', offset: 50_000 },
};

export async function measureMessageLists(): Promise<Figure[]> {
  const folder = newFolder();
  const file = join(folder.path, 'store.sqlite');
  const store = await openSqliteStore({ file, clock: { now: () => start }, logger: silentLogger });
  try {
    await fill(store);
    const slowest = await slowestQuestion(store);
    return [
      {
        name: `the slowest list of ${count} messages`,
        value: slowest.ms,
        unit: 'ms',
        target: targetMs,
        better: 'less',
        remarks: `${slowest.name}; ${Object.keys(questions).length} questions, three times each`,
      },
    ];
  } finally {
    await store.close();
    folder.remove();
  }
}

async function fill(store: Store): Promise<void> {
  for (let from = 0; from < count; from += 1_000) {
    await store.transact(async ({ messages }) => {
      for (let at = from; at < Math.min(count, from + 1_000); at += 1) {
        const message = recordOf(at);
        const text = textOf(at);
        await messages.keep(message, Buffer.from(text));
        await messages.indexText(message.id, text);
        await messages.addKeys(message.id, [
          { name: 'patient', value: `P${at % 20_000}` },
          { name: 'ward', value: `W${at % 3}` },
        ]);
      }
    });
  }
}

async function slowestQuestion(store: Store): Promise<{ readonly name: string; readonly ms: number }> {
  let slowest = { name: '', ms: 0 };
  // Which are the slow ones is of use to whoever mends them.
  const tells = process.env['BENCH_TELL'] !== undefined;
  for (const [name, filter] of [1, 2, 3].flatMap(() => Object.entries(questions))) {
    const begin = performance.now();
    const { items, next } = await store.messages.messages({ limit: 50, offset: 0, ...filter });
    const ms = performance.now() - begin;
    if (tells) {
      process.stderr.write(`${ms.toFixed(1).padStart(7)} ms  ${items.length} ${next ?? ''}  ${name}\n`);
    }
    if (ms > slowest.ms) slowest = { name, ms };
  }
  return slowest;
}
