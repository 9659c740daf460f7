// A thread that compares slices of the index with the resources, on a connection of its own.
import { parentPort, workerData } from 'node:worker_threads';
import { parseResource } from '../../fhir/exact-json.ts';
import { Refusal } from '../../kernel/outcomes.ts';
import { loadSearchIndex } from '../../search/load-index.ts';
import type { SearchIndex } from '../../search/search-index.ts';
import type { IndexRecipe } from '../index-upkeep.ts';
import type { CompareAnswer, CompareStart, CompareTask, Differing } from './compare-task.ts';
import { Connection } from './connection.ts';
import { IndexComparison } from './index-comparison.ts';
import { NumberCache, Names } from './names.ts';

/** Stale rows told at a time: where there are more, the slice is compared once more. */
const mostStale = 50_000;

const { file, connection: options, recipe } = workerData as CompareStart;
const connection = new Connection(file, { ...options, readOnly: true });
const index = await indexBy(recipe);
const comparison = new IndexComparison(new Names(connection, new NumberCache()), (body) =>
  index.entries(parseResource(body)),
);

parentPort?.on('message', ({ low, high }: CompareTask) => {
  const answer: CompareAnswer = connection.snapshot(() => differing(low, high));
  parentPort?.postMessage(answer);
});

/** What cannot be taken in use is not in use in the engine either. */
async function indexBy({ base, zoneOffsetMinutes, added }: IndexRecipe): Promise<SearchIndex> {
  const made = loadSearchIndex({ base, zoneOffsetMinutes });
  for (const json of added) {
    await made.define(parseResource(json)).catch((error: unknown) => {
      if (!(error instanceof Refusal)) throw error;
    });
  }
  return made;
}

function differing(low: number, high: number): CompareAnswer {
  const found = new Map<number, { stale: Differing['stale'][number][]; words: boolean }>();
  let stale = 0;
  for (const difference of comparison.differences(low, high)) {
    const one = found.get(difference.rid) ?? { stale: [], words: false };
    found.set(difference.rid, one);
    if (difference.kind === 'words') one.words = true;
    if (difference.kind !== 'stale') continue;
    one.stale.push(difference.row);
    stale += 1;
    if (stale === mostStale) break;
  }
  return {
    resources: [...found].map(([rid, one]) => ({ rid, ...one })),
    isAll: stale < mostStale,
  };
}
