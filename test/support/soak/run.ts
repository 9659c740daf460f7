// `npm run soak -- --minutes 20 --seed 7`: prints each fault, the counts, and what did not hold. Ends with 1 when something did not.
import { parseArgs } from 'node:util';
import { soak } from './soak.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    senders: { type: 'string', default: '8' },
    'fault-every': { type: 'string', default: '10' },
    'pause-ms': { type: 'string', default: '20' },
  },
});

const begin = performance.now();
const tell = (line: string): void =>
  void process.stdout.write(`${((performance.now() - begin) / 1000).toFixed(1).padStart(8)} s  ${line}\n`);

const { counts, problems } = await soak({
  seconds: Number(values.minutes) * 60,
  seed: Number(values.seed),
  senders: Number(values.senders),
  pauseMs: Number(values['pause-ms']),
  faultEverySeconds: Number(values['fault-every']),
  finishSeconds: 600,
  tell,
});
for (const [what, count] of Object.entries(counts)) tell(`${String(count).padStart(8)} ${what}`);
for (const problem of problems.slice(0, 100)) tell(`PROBLEM ${problem}`);
tell(problems.length === 0 ? 'all held' : `${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
