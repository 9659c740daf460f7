// How many matches a search has: counted, or where there are many, guessed from a sample.
import type { Condition } from '../../search/plan.ts';
import { ConditionCompiler } from './compile-condition.ts';
import { inTime, sql, word } from './fragment.ts';
import type { Names } from './names.ts';

/** Counting reads all of what leads the search: so much it pays to look for the smallest part that can. */
const leadLimit = 200_000;
/** An estimate counts so many matches, and then tests so many resources, evenly spread. */
const countedMatches = 5_000;
const sampleSize = 1_000;

export function countMatches(names: Names, type: string, where: Condition): number {
  const compiler = new ConditionCompiler(names, () => leadLimit).searching(where, type);
  const source = compiler.source(where, type);
  const counted = source.once ? word('*') : sql`DISTINCT ${source.rid}`;
  const query = sql`SELECT count(${counted}) AS total FROM ${source.from} WHERE ${source.where}`;
  return names.connection.row<{ total: number }>(query.text, ...query.values)?.total ?? 0;
}

/** Exact up to `countedMatches`; its cost is bounded. */
export function estimateMatches(names: Names, type: string, where: Condition): number {
  const compiler = new ConditionCompiler(names, () => countedMatches);
  if (compiler.estimate(where, type) < countedMatches) return countMatches(names, type, where);
  return Math.max(countedMatches, sampledMatches(names, type, where));
}

function sampledMatches(names: Names, type: string, where: Condition): number {
  const compiler = new ConditionCompiler(names, () => countedMatches);
  const resources = names.countedRids(names.find('type', type));
  const step = Math.max(1, Math.floor(resources / sampleSize));
  const { low } = compiler.span(type);
  const test = compiler.test(where, type, word('m.rid'));
  const query = sql`WITH RECURSIVE sample (rid) AS
    (SELECT ${low + 1} UNION ALL SELECT rid + ${step} FROM sample WHERE rid + ${step} <= ${low + resources})
    SELECT count(*) AS matches FROM sample CROSS JOIN resource AS m ON m.rid = sample.rid AND m.live = 1 WHERE ${inTime} AND ${test}`;
  const counted = names.connection.row<{ matches: number }>(query.text, ...query.values);
  return (counted?.matches ?? 0) * step;
}
