// Versions and deleted resources taken out of the file for good.
import type { Forgettable, ResourceName } from '../resource-store.ts';
import { unknownNumber, type Names, type NameWriter } from './names.ts';
import { isPointedAt, spanOf } from './references.ts';

interface CurrentRow {
  readonly rid: number;
  readonly live: number;
}

function currentRow(names: Names, { type, id }: ResourceName): CurrentRow | undefined {
  const sql = 'SELECT rid, live FROM resource WHERE type = ? AND id = ? AND version > 0';
  return names.connection.row<CurrentRow>(sql, names.find('type', type), id);
}

export function forgetHistory(names: NameWriter, name: ResourceName): number {
  const current = currentRow(names, name);
  if (current === undefined) return 0;
  const { connection } = names;
  const used =
    'DELETE FROM content_use WHERE rid = ? AND version IN (SELECT version FROM history WHERE rid = ?)';
  connection.run(used, current.rid, current.rid);
  return connection.run('DELETE FROM history WHERE rid = ?', current.rid);
}

/** Where somebody still points at it, its place stays, as for all that is only referred to. */
export function forgetResource(names: NameWriter, name: ResourceName): number {
  const current = currentRow(names, name);
  if (current === undefined || current.live === 1) return 0;
  const { connection } = names;
  connection.run('DELETE FROM content_use WHERE rid = ?', current.rid);
  const replaced = connection.run('DELETE FROM history WHERE rid = ?', current.rid);
  if (isPointedAt(names, name)) {
    const sql = `UPDATE resource SET version = 0, updated = 0, method = '', body = NULL WHERE rid = ?`;
    connection.run(sql, current.rid);
  } else {
    connection.run('DELETE FROM resource WHERE rid = ?', current.rid);
    names.forgetTarget(`${name.type}/${name.id}`);
  }
  return replaced + 1;
}

const deletedSql = 'SELECT id FROM resource WHERE type = ? AND live = 0 AND version > 0 LIMIT ?';
const withHistorySql = `SELECT resource.id FROM
  (SELECT DISTINCT rid FROM history WHERE rid BETWEEN ? AND ? LIMIT ?) AS replaced JOIN resource USING (rid)`;

export function forgettableIds(
  names: Names,
  type: string,
  what: Forgettable,
  limit: number,
): readonly string[] {
  const number = names.find('type', type);
  if (number === unknownNumber) return [];
  const { connection } = names;
  const rows =
    what === 'deleted-resources'
      ? connection.rows<{ id: string }>(deletedSql, number, limit)
      : connection.rows<{ id: string }>(withHistorySql, ...spanOf(names, type), limit);
  return rows.map(({ id }) => id);
}
