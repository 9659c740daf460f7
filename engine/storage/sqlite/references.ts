// Who points at whom: what is only referred to, and by whom; and the values that an index holds.
import type { IndexedCode, ReferrersAsked, ResourceName } from '../resource-store.ts';
import { digestMark } from './code-key.ts';
import { ridSpan, unknownNumber, type Names } from './names.ts';

/** One statement however many are asked. */
const missingSql = `SELECT key FROM json_each(?) AS asked WHERE NOT EXISTS (
  SELECT 1 FROM resource WHERE type = asked.value ->> 0 AND id = asked.value ->> 1 AND live = 1)`;

export function missingOf(names: Names, asked: readonly ResourceName[]): readonly ResourceName[] {
  if (asked.length === 0) return [];
  const wanted = JSON.stringify(asked.map(({ type, id }) => [names.find('type', type), id]));
  const missing = new Set(names.connection.rows<{ key: number }>(missingSql, wanted).map(({ key }) => key));
  return asked.filter((_name, place) => missing.has(place));
}

const pointingSql = 'SELECT 1 FROM reference_index WHERE parameter = ? AND target = ? AND rid <> ? LIMIT 1';

/** The index is led by the parameter: each that may point at this type is asked. */
const referrersSql = `SELECT DISTINCT name.text AS type, resource.id FROM json_each(?4) AS used
    CROSS JOIN reference_index AS pointing
      ON pointing.parameter = used.value AND pointing.target = ?1 AND pointing.rid <> ?1
    JOIN resource ON resource.rid = pointing.rid
    JOIN name ON name.kind = 1 AND name.number = resource.type
  WHERE NOT EXISTS (SELECT 1 FROM json_each(?2) AS spared WHERE spared.value = resource.type)
  LIMIT ?3`;

export function referrersOf(
  names: Names,
  { type, id }: ResourceName,
  { exceptTypes, limit }: ReferrersAsked,
): readonly ResourceName[] {
  const number = names.find('type', type);
  const rid = number === unknownNumber ? undefined : names.findResource(number, id);
  if (rid === undefined) return [];
  const { connection } = names;
  const used = names.pointing.of(number, connection);
  // Mostly nobody points at it, which is soon known.
  const pointing = used.filter((parameter) => connection.row(pointingSql, parameter, rid, rid));
  if (pointing.length === 0) return [];
  const parameters = JSON.stringify(pointing);
  const spared = JSON.stringify(exceptTypes.map((spare) => names.find('type', spare)));
  const rows = connection.rows<ResourceName>(referrersSql, rid, spared, limit, parameters);
  return rows.map((row) => ({ ...row }));
}

export const isPointedAt = (names: Names, name: ResourceName): boolean =>
  referrersOf(names, name, { exceptTypes: [], limit: 1 }).length > 0;

const codesSql = {
  token: `SELECT DISTINCT name.text AS system, token_index.code FROM token_index
    LEFT JOIN name ON name.kind = 3 AND name.number = token_index.system
    WHERE parameter = ? ORDER BY code LIMIT ?`,
  uri: `SELECT DISTINCT '' AS system, value AS code FROM uri_index WHERE parameter = ? ORDER BY value LIMIT ?`,
} as const;

export function distinctCodes(
  names: Names,
  parameter: string,
  kind: keyof typeof codesSql,
  limit: number,
): readonly IndexedCode[] {
  const number = names.find('parameter', parameter);
  const rows = names.connection.rows<{ system: string | null; code: string }>(codesSql[kind], number, limit);
  // A long code is kept as its digest alone, which cannot be told.
  const whole = rows.filter(({ code }) => !code.includes(digestMark));
  return whole.map(({ system, code }) => ({ system: system ?? '', code }));
}

/** The rids of a type, for a statement. */
export const spanOf = (names: Names, type: string): readonly [low: number, high: number] => {
  const { low, high } = ridSpan(names.find('type', type));
  return [low, high];
};
