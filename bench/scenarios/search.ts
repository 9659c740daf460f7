// The search mix over HTTP: token, string, date range, sort, reference, chain, includes, _has, quantity and composite, each with values
// that vary, over a made-up hospital of 100,000 resources; with BENCH_RESOURCES of another size. BENCH_SHAPES=1 prints each shape's cost.
import { statSync, existsSync, cpSync } from 'node:fs';
import { processorSeconds, residentMegabytes, type MeasuredEngine } from '../engine.ts';
import { fill, storeFile } from '../fill.ts';
import { runLoad, type Load } from '../load/figures.ts';
import { HttpConnection, requestBytes } from '../load/http-connection.ts';
import type { Figure } from '../report.ts';
import { shapesOf } from '../search-shapes.ts';
import { shapeCosts } from '../shape-costs.ts';

const clients = 24;
const seconds = 8;
const resources = Number(process.env['BENCH_RESOURCES'] ?? 100_000);
const shapes = shapesOf(resources);

export async function measureSearch(start: () => Promise<MeasuredEngine>, data: string): Promise<Figure[]> {
  const bytes = await fillOrCopy(data);
  const engine = await start();
  const authorization = `Bearer ${await engine.token()}`;
  const answered = await onlyAnswered(engine.port, authorization);
  if (process.env['BENCH_SHAPES'] !== undefined) await printShapes(engine.port, authorization, answered);
  await load(engine.port, authorization, answered, 2);
  const before = processorSeconds(engine.pid);
  const searched = await load(engine.port, authorization, answered, seconds);
  const used = (processorSeconds(engine.pid) - before) / (searched.perSecond * seconds);
  const memory = residentMegabytes(engine.pid);
  await engine.stop();
  if (process.env['BENCH_SHAPES'] !== undefined) process.stderr.write(`${shapeCosts([data])}\n`);
  return figuresOf({ searched, used, shapeCount: answered.length, memory: memory[0] ?? 0, bytes });
}

interface Measured {
  readonly searched: Load;
  /** Processor seconds of the engine for one search. */
  readonly used: number;
  readonly shapeCount: number;
  readonly memory: number;
  readonly bytes: number;
}

const figuresOf = ({ searched, used, shapeCount, memory, bytes }: Measured): Figure[] => [
  {
    name: `search mix of ${shapeCount} shapes, ${resources} resources, ${clients} clients`,
    value: searched.perSecond,
    unit: '/s',
    target: resources > 100_000 ? 975 : 1_500,
    better: 'more',
    remarks: `p50 ${searched.p50Ms.toFixed(1)} ms, ${searched.errors} errors, ${(used * 1e6).toFixed(0)} µs of the engine's processor each, generator ${(searched.generatorCpu * 100).toFixed(0)} % of a core`,
  },
  { name: 'search mix, p99', value: searched.p99Ms, unit: 'ms', target: 50, better: 'less' },
  { name: 'memory of the engine under searches', value: memory, unit: 'MB', target: 500, better: 'less' },
  { name: 'a resource on disk, all types', value: bytes / resources / 1_000, unit: 'kB', target: 2.5, better: 'less' },
]; // prettier-ignore

/** A filled folder of an earlier run may be named, because filling a big one takes a minute. */
async function fillOrCopy(data: string): Promise<number> {
  const ready = process.env['BENCH_HOSPITAL'];
  if (ready !== undefined && existsSync(storeFile(ready))) cpSync(ready, data, { recursive: true });
  else await fill(data, resources);
  return statSync(storeFile(data)).size;
}

type Shape = readonly [name: string, at: (n: number) => string];

const requestOf = (authorization: string, path: string): Buffer =>
  requestBytes('GET', `/fhir/R4/${encodeURI(path).replaceAll('|', '%7C').replaceAll('$', '%24')}`, {
    authorization,
  });

async function onlyAnswered(port: number, authorization: string): Promise<readonly Shape[]> {
  const connection = new HttpConnection(port);
  const answered: Shape[] = [];
  for (const shape of Object.entries(shapes)) {
    const answer = await connection.exchange(requestOf(authorization, shape[1](1)));
    if (answer.status === 200) answered.push(shape);
    else process.stderr.write(`${shape[0]}: ${answer.status} ${answer.body.toString().slice(0, 400)}\n`);
  }
  connection.close();
  return answered;
}

async function printShapes(port: number, authorization: string, answered: readonly Shape[]): Promise<void> {
  for (const shape of answered) {
    const { perSecond, p50Ms, p99Ms } = await load(port, authorization, [shape], 1, 1);
    const figures = `${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms, ${perSecond.toFixed(0)}/s by one client`;
    process.stderr.write(`${shape[0].padEnd(32)} p50 ${figures}\n`);
  }
}

async function load(
  port: number,
  authorization: string,
  asked: readonly Shape[],
  forSeconds: number,
  callers = clients,
): Promise<Load> {
  const requests = Array.from({ length: 101 }).flatMap((_, round) =>
    asked.map(([, at], place) => requestOf(authorization, at(round * asked.length + place))),
  );
  const connections = Array.from({ length: callers }, () => new HttpConnection(port));
  let sent = 0;
  const result = await runLoad(callers, forSeconds, async (client) => {
    sent = (sent + 1) % requests.length;
    const [connection, request] = [connections[client], requests[sent]];
    if (connection === undefined || request === undefined) return false;
    return (await connection.exchange(request)).status === 200;
  });
  for (const connection of connections) connection.close();
  return result;
}
