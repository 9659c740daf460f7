// The history of a resource, of types, or of everything: current and replaced versions in one order, newest first. The place between
// two pages is the last version that was handed out; a version keeps its place when another one replaces it.
import type {
  HistoryPage,
  HistoryRequest,
  HistoryScope,
  ListedVersion,
  StoredVersion,
} from '../resource-store.ts';
import type { SqlValue } from './connection.ts';
import { unknownNumber, type Names } from './names.ts';
import { readPage } from './page-bytes.ts';
import { readPlace, writePlace } from './page-place.ts';

/** A version, by what it is ordered by. */
interface Key {
  readonly updated: number;
  readonly rid: number;
  readonly version: number;
}

interface TypedKey extends Key {
  readonly type: string;
}

/** Versions that an index gives in order. */
interface Source {
  readonly type: string;
  /** `FROM … AS v WHERE …` */
  readonly from: string;
  readonly values: readonly SqlValue[];
  readonly order: string;
  /** They are not current any more. */
  readonly replaced: boolean;
}

/** Which versions are asked for: between these times, and after the place of the page before. */
interface Range {
  readonly low: number;
  readonly high: number;
  readonly after: Key;
  /** Versions that were made before this time count only if they were current then. */
  readonly currentAt: number | undefined;
}

/** More versions than this are not counted for a total. */
const mostCounted = 10_000;

const byTime = 'v.updated DESC, v.rid DESC, v.version DESC';

export function historyPage(names: Names, asked: HistoryRequest): HistoryPage {
  const sources = sourcesOf(names, asked.scope);
  const range = rangeOf(asked);
  const found = newest(names, sources, range, asked.count + 1);
  const versions = readPage(found.slice(0, asked.count), (key) => storedAt(names, key));
  const last = found[versions.length - 1];
  return {
    versions,
    next: last !== undefined && found.length > versions.length ? placeAfter(last) : undefined,
    total: counted(names, sources, range),
  };
}

function sourcesOf(names: Names, scope: HistoryScope): readonly Source[] {
  switch (scope.kind) {
    case 'instance':
      return ofResource(names, scope.type, scope.id);
    case 'types':
      return scope.types.flatMap((type) => ofType(names, type));
    case 'listed':
      return [...Map.groupBy(scope.listed, ({ type }) => type)].flatMap(([type, listed]) =>
        ofListed(names, type, listed),
      );
  }
}

function ofResource(names: Names, type: string, id: string): readonly Source[] {
  const number = names.find('type', type);
  const rid = number === unknownNumber ? undefined : names.findResource(number, id);
  if (rid === undefined) return [];
  const common = { type, values: [rid], order: 'v.version DESC' };
  return [
    { ...common, from: 'resource AS v WHERE v.rid = ? AND v.version > 0', replaced: false },
    { ...common, from: 'history AS v WHERE v.rid = ?', replaced: true },
  ];
}

function ofType(names: Names, type: string): readonly Source[] {
  const number = names.find('type', type);
  if (number === unknownNumber) return [];
  const common = { type, values: [number], order: byTime };
  const current = 'resource AS v WHERE v.type = ? AND v.live';
  return [
    { ...common, from: `${current} = 1`, replaced: false },
    { ...common, from: `${current} = 0 AND v.version > 0`, replaced: false },
    { ...common, from: 'history AS v WHERE v.rid >> 40 = ?', replaced: true },
  ];
}

function ofListed(names: Names, type: string, listed: readonly ListedVersion[]): readonly Source[] {
  const number = names.find('type', type);
  const asked = listed.flatMap(({ id, version }) => {
    const rid = names.findResource(number, id);
    return rid === undefined ? [] : [[rid, version ?? null]];
  });
  const common = { type, values: [JSON.stringify(asked)], order: byTime };
  const isAsked = 'v.rid = asked.value ->> 0 AND coalesce(v.version = asked.value ->> 1, 1)';
  return [
    {
      ...common,
      from: `json_each(?) AS asked CROSS JOIN resource AS v WHERE ${isAsked} AND v.version > 0`,
      replaced: false,
    },
    { ...common, from: `json_each(?) AS asked CROSS JOIN history AS v WHERE ${isAsked}`, replaced: true },
  ];
}

function rangeOf({ after, since, at }: HistoryRequest): Range {
  return {
    low: since ?? 0,
    high: at === undefined ? Number.MAX_SAFE_INTEGER : Math.min(at.high - 1, Number.MAX_SAFE_INTEGER),
    after: after === undefined ? beforeAll : keyAt(after),
    currentAt: at?.low,
  };
}

const beforeAll: Key = { updated: Number.MAX_SAFE_INTEGER, rid: Number.MAX_SAFE_INTEGER, version: 0 };

const placeAfter = ({ updated, rid, version }: Key): string => writePlace({ keys: [updated, version], rid });

function keyAt(place: string): Key {
  const { keys, rid } = readPlace(place, [2]);
  return { updated: Number(keys[0]), rid, version: Number(keys[1]) };
}

/** The newest `limit` of all sources. What is older than so many that were found already is not looked at. */
function newest(names: Names, sources: readonly Source[], range: Range, limit: number): readonly TypedKey[] {
  let found: readonly TypedKey[] = [];
  let low = range.low;
  for (const source of sources) {
    const rows = keysOf(names, source, { ...range, low }, limit).map((key) => ({
      ...key,
      type: source.type,
    }));
    if (rows.length === 0) continue;
    found = [...found, ...rows].sort(newestFirst).slice(0, limit);
    if (found.length === limit) low = Math.max(low, found.at(-1)?.updated ?? low);
  }
  return found;
}

const newestFirst = (a: Key, b: Key): number =>
  b.updated - a.updated || b.rid - a.rid || b.version - a.version;

function keysOf(names: Names, source: Source, range: Range, limit: number): readonly Key[] {
  const within = withinSql(source, range);
  const { updated, rid, version } = range.after;
  return names.connection.rows<Key>(
    `SELECT v.updated, v.rid, v.version FROM ${source.from} AND ${within.text}
      AND (v.updated, v.rid, v.version) < (?, ?, ?) ORDER BY ${source.order} LIMIT ?`,
    ...source.values,
    ...within.values,
    updated,
    rid,
    version,
    limit,
  );
}

const nextUpdated = `coalesce(
  (SELECT n.updated FROM history AS n WHERE n.rid = v.rid AND n.version > v.version ORDER BY n.version LIMIT 1),
  (SELECT n.updated FROM resource AS n WHERE n.rid = v.rid))`;

function withinSql(
  source: Source,
  { low, high, after, currentAt }: Range,
): { readonly text: string; readonly values: readonly SqlValue[] } {
  const between = { text: 'v.updated BETWEEN ? AND ?', values: [low, Math.min(high, after.updated)] };
  if (currentAt === undefined || !source.replaced) return between;
  return {
    text: `${between.text} AND (v.updated >= ? OR ${nextUpdated} > ?)`,
    values: [...between.values, currentAt, currentAt],
  };
}

function counted(names: Names, sources: readonly Source[], range: Range): number | undefined {
  let total = 0;
  for (const source of sources) {
    const within = withinSql(source, { ...range, after: beforeAll });
    const row = names.connection.row<{ total: number }>(
      `SELECT count(*) AS total FROM (SELECT 1 FROM ${source.from} AND ${within.text} LIMIT ?)`,
      ...source.values,
      ...within.values,
      mostCounted + 1 - total,
    );
    total += row?.total ?? 0;
    if (total > mostCounted) return undefined;
  }
  return total;
}

interface VersionRow {
  readonly id: string;
  readonly version: number;
  readonly method: string;
  readonly body: string | null;
}

const currentSql = 'SELECT id, version, method, body FROM resource WHERE rid = ?';
const replacedSql = `SELECT r.id, h.version, h.method, h.body FROM history AS h JOIN resource AS r ON r.rid = h.rid
  WHERE h.rid = ? AND h.version = ?`;

function storedAt(names: Names, { type, rid, version, updated }: TypedKey): StoredVersion {
  const current = names.connection.row<VersionRow>(currentSql, rid);
  const row =
    current?.version === version ? current : names.connection.row<VersionRow>(replacedSql, rid, version);
  if (row === undefined) throw new Error('a version that was just found is not there');
  const { id, method, body } = row;
  return {
    type,
    id,
    version,
    lastUpdated: updated,
    method: method as StoredVersion['method'],
    body: body ?? undefined,
  };
}
