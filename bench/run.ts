// `npm run bench`: each figure beside its target and its limit, measured in the same run on the same machine.
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { startMeasured, newFolder } from './engine.ts';
import { printTable, type Figure } from './report.ts';
import { measureMix } from './scenarios/mix.ts';
import {
  measureCreates,
  measureSmallTransactions,
  measureSynthea,
  measureTransactions,
} from './scenarios/writes.ts';
import { measureBacklog } from './scenarios/backlog.ts';
import { measureBeside } from './scenarios/beside.ts';
import { measureDeliveries } from './scenarios/deliveries.ts';
import { measureExtraction } from './scenarios/extraction.ts';
import { measureMapping } from './scenarios/mapping.ts';
import { measureLarge } from './scenarios/large.ts';
import { measureMessageLists } from './scenarios/message-lists.ts';
import { measureKeeping, measureMessages } from './scenarios/messages.ts';
import { measureReads } from './scenarios/reads.ts';
import { measureSearch } from './scenarios/search.ts';
import { measureSenders } from './scenarios/senders.ts';
import { measureStartAndMemory } from './scenarios/start.ts';

const chosen = process.argv.slice(2);
const scenarios = {
  start: measureStartAndMemory,
  extraction: measureExtraction,
  reads: measureReads,
  creates: measureCreates,
  transactions: measureTransactions,
  small: measureSmallTransactions,
  synthea: measureSynthea,
  beside: measureBeside,
  mix: measureMix,
  mapping: measureMapping,
  keeping: measureKeeping,
  messages: measureMessages,
  backlog: measureBacklog,
  deliveries: measureDeliveries,
  large: measureLarge,
  senders: measureSenders,
  search: measureSearch,
  'message-lists': measureMessageLists,
} as const;

const figures: Figure[] = [];
for (const [name, measure] of Object.entries(scenarios)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  process.stderr.write(`${name} …\n`);
  const folder = newFolder();
  try {
    figures.push(...(await measure(() => startMeasured(folder.path), folder.path)));
  } finally {
    folder.remove();
  }
}

printTable(figures);
mkdirSync('bench/results', { recursive: true });
const machine = { cores: cpus().length, processor: cpus()[0]?.model, node: process.version };
writeFileSync(
  'bench/results/latest.json',
  `${JSON.stringify({ at: new Date().toISOString(), machine, figures }, null, 2)}\n`,
);
process.stderr.write('written to bench/results/latest.json\n');
