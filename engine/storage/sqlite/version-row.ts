// The columns of a stored version, and what they mean.
import type { StoredVersion } from '../resource-store.ts';

export interface VersionRow {
  readonly rid: number;
  readonly id: string;
  readonly version: number;
  readonly updated: number;
  readonly method: string;
  readonly body: string | null;
}

export const readByRidSql = 'SELECT rid, id, version, updated, method, body FROM resource WHERE rid = ?';

export function versionOf(type: string, row: VersionRow): StoredVersion {
  return {
    type,
    id: row.id,
    version: row.version,
    lastUpdated: row.updated,
    method: row.method as StoredVersion['method'],
    body: row.body ?? undefined,
  };
}
