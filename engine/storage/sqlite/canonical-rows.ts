// The resources to which canonical references lead: those that have the same reference under a parameter of their own, and of these the
// latest. Both sides are rows of reference_index, so that a canonical is followed by number as an address is.
import type { ParameterName } from '../../search/plan.ts';
import type { Compilation } from './compilation.ts';
import { inTime, sql, word, type Fragment } from './fragment.ts';

export interface NamedRows {
  /** The alias of the rows: one for each canonical of a resource. */
  readonly named: Fragment;
  readonly from: Fragment;
  readonly where: Fragment;
}

/** The canonicals of the resources of a type, where no other resource has the same and is later. By an index, or as SQLite chooses. */
export function namedRows(
  compilation: Compilation,
  by: ParameterName,
  type: string,
  index?: 'reference_by_rid',
): NamedRows {
  const named = compilation.alias();
  const { low, high } = compilation.span(type);
  const parameter = compilation.names.find('parameter', by);
  const indexed = index === undefined ? word('') : word(`INDEXED BY ${index}`);
  return {
    named,
    from: sql`reference_index AS ${named} ${indexed}`,
    where: sql`${named}.parameter = ${parameter} AND ${named}.rid BETWEEN ${low} AND ${high}
      AND NOT ${hasLater(compilation, parameter, named)}`,
  };
}

/** The canonicals that lead to those of these resources that are the latest. */
export function namesOfMatching(
  compilation: Compilation,
  by: ParameterName,
  type: string,
  matching: Fragment,
): Fragment {
  const { named, from, where } = namedRows(compilation, by, type, 'reference_by_rid');
  return sql`SELECT ${named}.target FROM ${from} WHERE ${named}.rid IN (${matching}) AND ${where}`;
}

function hasLater(compilation: Compilation, parameter: number, named: Fragment): Fragment {
  const [own, other, later] = [compilation.alias(), compilation.alias(), compilation.alias()];
  return sql`EXISTS (SELECT 1 FROM string_index AS ${own} INDEXED BY string_by_rid
    CROSS JOIN reference_index AS ${other} CROSS JOIN string_index AS ${later} INDEXED BY string_by_rid
    WHERE ${own}.rid = ${named}.rid AND ${own}.parameter = ${parameter}
    AND ${other}.parameter = ${parameter} AND ${other}.target = ${named}.target AND ${inTime}
    AND ${later}.rid = ${other}.rid AND ${later}.parameter = ${parameter} AND ${later}.folded > ${own}.folded)`;
}
