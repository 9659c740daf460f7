// By which parameters resources of a type are pointed at: a few of all that there are, so that asking who points at one is quick.
import type { Connection } from './connection.ts';
import { ridsOfType, typeOfRid } from './rids.ts';

const nextParameterSql = 'SELECT min(parameter) AS found FROM reference_index WHERE parameter > ?';
const nextTargetSql = 'SELECT min(target) AS found FROM reference_index WHERE parameter = ? AND target >= ?';

/** Only grows: a parameter that no row has any more is asked in vain, never missed. */
export class PointingParameters {
  readonly #byType = new Map<number, Set<number>>();
  #read = false;

  /** To be told of each row that is written. */
  note(parameter: number, target: number): void {
    const type = typeOfRid(target);
    const known = this.#byType.get(type);
    if (known === undefined) this.#byType.set(type, new Set([parameter]));
    else known.add(parameter);
  }

  of(type: number, connection: Connection): readonly number[] {
    if (!this.#read) this.#readFrom(connection);
    this.#read = true;
    return [...(this.#byType.get(type) ?? [])];
  }

  /** From each parameter to the next, and within it from each type to the next: few rows of many are touched. */
  #readFrom(connection: Connection): void {
    let parameter = first(connection, nextParameterSql, -1);
    while (parameter !== undefined) {
      let target = first(connection, nextTargetSql, parameter, 0);
      while (target !== undefined) {
        this.note(parameter, target);
        target = first(connection, nextTargetSql, parameter, (typeOfRid(target) + 1) * ridsOfType);
      }
      parameter = first(connection, nextParameterSql, parameter);
    }
  }
}

const first = (connection: Connection, sql: string, ...values: readonly number[]): number | undefined =>
  connection.row<{ found: number | null }>(sql, ...values)?.found ?? undefined;
