// How long the second start takes to its first answer, and what both processes hold when nothing happens.
import { residentMegabytes, type MeasuredEngine } from '../engine.ts';
import type { Figure } from '../report.ts';

const settleMs = 15_000;

export async function measureStartAndMemory(start: () => Promise<MeasuredEngine>): Promise<Figure[]> {
  await (await start()).stop();
  const begin = performance.now();
  const engine = await start();
  await fetch(`http://127.0.0.1:${engine.port}/fhir/R4/metadata`).then((answer) => answer.text());
  const firstAnswerMs = performance.now() - begin;
  await new Promise((wait) => setTimeout(wait, settleMs));
  const memory = residentMegabytes(engine.pid);
  await engine.stop();
  return [
    {
      name: 'second start to first answer',
      value: firstAnswerMs / 1000,
      unit: 's',
      target: 2,
      better: 'less',
    },
    {
      name: 'idle memory of both processes',
      value: memory.reduce((sum, one) => sum + one, 0),
      unit: 'MB',
      target: 350,
      better: 'less',
      remarks: `engine and flows: ${memory.join(' + ')} MB, ${settleMs / 1000} s after the start`,
    },
  ];
}
