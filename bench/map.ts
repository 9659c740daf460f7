// How long one ORU with 20 OBX takes to parse, to ask its questions and to map: median and 99th percentile.
import { resolve } from 'node:path';
import { hl7Format } from '../adapters/hl7/format.ts';
import { silentLogger } from '../engine/kernel/logger.ts';
import { createMapper } from '../engine/mapping/create-mapper.ts';

const rounds = 3_000;
/** Parse and map of one message, ms. */
const limitMs = 1;

const results = Array.from(
  { length: 20 },
  (_, place) => `OBX|${place + 1}|NM|789-8^RBC^LN||${place}.50|10*12/L|3.50-5.50|L~N|||F`,
);
const raw = Buffer.from(
  [
    'MSH|^~\\&|BC-5380|Mindray|||20260202151447||ORU^R01|88|P|2.3.1||||||UNICODE',
    'PID|1||730012^^^^MR||Otieno^Achieng||19900102000000|Female',
    'PV1|1||Ward^^4',
    'OBR|1||B000155|00001^Automated Count^99MRC|||20260202151339|||||||||||||||||HM||||||||Operator',
    ...results,
  ].join('\r'),
);

const mapper = await createMapper({ folder: resolve('mappings'), logger: silentLogger });
const context = { messageId: 'bench', receivedAt: 0, channel: 'bench' };

function timed(work: () => void): { median: string; p99: string } {
  const taken: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    work();
    if (round >= rounds / 3) taken.push(performance.now() - start);
  }
  taken.sort((one, other) => one - other);
  const at = (share: number): string => (taken[Math.floor(taken.length * share)] ?? 0).toFixed(3);
  return { median: at(0.5), p99: at(0.99) };
}

function parsed(): Parameters<typeof mapper.map>[0] {
  const { message } = hl7Format.parse(raw);
  if (message === undefined) throw new Error('the sample message cannot be parsed');
  return message;
}

const name = 'ORU-R01-mindray-bc';
console.log(`ORU with 20 OBX, ms a message (limit of parse and map: ${limitMs})`);
console.table({
  'parse and map': timed(() => mapper.map(parsed(), name, {}, context)),
  'parse, select, ask and map': timed(() => {
    const message = parsed();
    mapper.select(message);
    mapper.questions(message, name);
    mapper.map(message, name, {}, context);
  }),
  'map with trace and unmapped': timed(() => {
    JSON.stringify(mapper.map(parsed(), name, {}, context));
  }),
});
