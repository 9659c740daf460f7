// Index entries as rows: the values of a table's columns, with names as numbers.
import { codeKey } from './code-key.ts';
import { compositeValues } from './composite-parts.ts';
import type { SqlValue } from './connection.ts';
import { tableOf, type IndexTable, type RowEntry } from './index-tables.ts';
import type { Numbers } from './names.ts';

export interface IndexRow {
  readonly table: IndexTable;
  /** In the order of the table's columns. */
  readonly values: readonly SqlValue[];
}

export const rowOf = (numbers: Numbers, rid: number, entry: RowEntry): IndexRow => ({
  table: tableOf[entry.kind],
  values: rowValues(numbers, rid, entry),
});

export function rowValues(numbers: Numbers, rid: number, entry: RowEntry): readonly SqlValue[] {
  const parameter = numbers.intern('parameter', entry.parameter);
  switch (entry.kind) {
    case 'token':
      return [parameter, codeKey(entry.code), rid, numbers.intern('system', entry.system)];
    case 'reference':
      return [parameter, numbers.internTarget(entry.target), rid];
    case 'uri':
      return [parameter, entry.value, rid];
    case 'string':
      return [parameter, entry.folded, rid, entry.value];
    case 'date':
    case 'number':
      return [parameter, 0, entry.low, rid, entry.high, 0];
    case 'quantity': {
      const [unit, system] = [numbers.intern('unit', entry.unit), numbers.intern('system', entry.system)];
      return [parameter, unit, entry.low, rid, entry.high, system];
    }
    case 'position':
      return [parameter, 0, entry.latitude, rid, entry.longitude, 0];
    case 'composite':
      return compositeValues(numbers, parameter, rid, entry);
  }
}
