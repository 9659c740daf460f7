// Conditions that are joined by AND, each a piece of SQL with its values.
import type { SqlValue } from './connection.ts';

export interface Asked {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/** Those that were given a value. */
export const valued = (
  criteria: readonly { readonly sql: string; readonly value: SqlValue | undefined }[],
): readonly Asked[] =>
  criteria.flatMap(({ sql, value }) => (value === undefined ? [] : [{ sql, values: [value] }]));

export const whereOf = (asked: readonly Asked[]): string =>
  asked.length === 0 ? '' : `WHERE ${asked.map(({ sql }) => sql).join(' AND ')}`;

export const allOf = (asked: readonly Asked[]): readonly SqlValue[] => asked.flatMap(({ values }) => values);
