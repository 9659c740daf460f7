// What each shape of the search mix costs in the store, over one or several filled ones, in turns, so that all are measured in the same
// conditions: node bench/shape-costs.ts <data folder> [<data folder> …]. Milliseconds of processor (of all the process's threads), rows
// that were looked at, and kilobytes that were read from the file, each search at its place in the mix.
import { readFileSync } from 'node:fs';
import { loadSearchIndex } from '../engine/search/load-index.ts';
import type { Plan } from '../engine/search/plan.ts';
import { Connection } from '../engine/storage/sqlite/connection.ts';
import { NumberCache, Names } from '../engine/storage/sqlite/names.ts';
import { runSearch } from '../engine/storage/sqlite/run-search.ts';
import { storeFile } from './fill.ts';
import { resourcesOfPatient } from './hospital.ts';
import { shapesOf } from './search-shapes.ts';

const rounds = 80;
/** Rounds that only fill the caches. */
const warming = 20;
const limits = { lenient: false, base: '', defaultCount: 20, maximumCount: 1_000 };
const options = { cacheKiB: 65_536, mapBytes: 0, busyTimeoutMs: 5_000, readOnly: true };

interface Cost {
  readonly ms: number;
  readonly rows: number;
  readonly kilobytes: number;
}

class Measured {
  readonly #connection: Connection;
  readonly #names: Names;
  readonly #shapes: ReturnType<typeof shapesOf>;
  #costs = new Map<string, Cost[]>();

  constructor(folder: string) {
    this.#connection = new Connection(storeFile(folder), options);
    this.#names = new Names(this.#connection, new NumberCache());
    const patients = this.#names.countedRids(this.#names.find('type', 'Patient'));
    this.#shapes = shapesOf(patients * resourcesOfPatient);
  }

  /** One search of each shape. */
  run(round: number): void {
    const asked = Object.entries(this.#shapes);
    for (const [place, [shape, at]] of asked.entries()) {
      const cost = this.#cost(planOf(at(round * asked.length + place)));
      this.#costs.set(shape, [...this.costsOf(shape), cost]);
    }
  }

  costsOf(shape: string): readonly Cost[] {
    return this.#costs.get(shape) ?? [];
  }

  forget(): void {
    this.#costs = new Map();
  }

  #cost(plan: Plan): Cost {
    const read = bytesRead();
    const begin = process.cpuUsage();
    const rows = this.#connection.within(Infinity, () => {
      runSearch(this.#names, plan);
      return this.#connection.looked;
    });
    const { user, system } = process.cpuUsage(begin);
    return { ms: (user + system) / 1_000, rows, kilobytes: (bytesRead() - read) / 1_024 };
  }
}

/** Asked of the operating system, whether or not it had them in memory (Linux). */
const bytesRead = (): number => Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);

const index = loadSearchIndex({ base: '' });

function planOf(url: string): Plan {
  const [type = '', query = ''] = url.split('?');
  return index.request(type, query, limits).plan;
}

/** A table, a line a shape, a group of columns a folder. */
export function shapeCosts(folders: readonly string[]): string {
  const stores = folders.map((folder) => new Measured(folder));
  for (let round = 0; round < warming + rounds; round += 1) {
    if (round === warming) for (const store of stores) store.forget();
    for (const store of stores) store.run(round);
  }
  const names = Object.keys(shapesOf(0));
  const lines = names.map((name) =>
    line(
      name,
      stores.map((store) => cells(store.costsOf(name))),
    ),
  );
  const all = stores.map((store) => cells(names.flatMap((name) => store.costsOf(name))));
  return [
    line(
      'ms of processor',
      stores.map(() => heads),
    ),
    ...lines,
    line('all', all),
  ].join('\n');
}

const heads = ['median', 'mean', 'longest', 'rows', 'kB'];

const line = (name: string, groups: readonly (readonly string[])[]): string =>
  name.padEnd(32) + groups.map((group) => group.map((cell) => cell.padStart(8)).join('')).join(' |');

function cells(costs: readonly Cost[]): readonly string[] {
  const times = costs.map(({ ms }) => ms).toSorted((one, other) => one - other);
  return [
    (times[times.length >> 1] ?? 0).toFixed(2),
    mean(times).toFixed(2),
    (times.at(-1) ?? 0).toFixed(1),
    mean(costs.map(({ rows }) => rows)).toFixed(0),
    mean(costs.map(({ kilobytes }) => kilobytes)).toFixed(0),
  ];
}

const mean = (numbers: readonly number[]): number =>
  numbers.reduce((sum, one) => sum + one, 0) / numbers.length;

if (import.meta.main) process.stdout.write(`${shapeCosts(process.argv.slice(2))}\n`);
