// The resources to which canonical references lead: those that are named so under a parameter of their own, and of these the latest, which lie
// last. A canonical that is written as a reference is the id of a row of the pseudo type.
import { afterNames, nameEnd } from '../../search/extraction/canonical-names.ts';
import type { ParameterName } from '../../search/plan.ts';
import type { Compilation } from './compilation.ts';
import { sql, type Fragment } from './fragment.ts';
import { emptyNumber } from './names.ts';

/** Rows of string_index, each the name of a resource, joined with the row of resource that stands for the canonical. */
export interface NamedRows {
  /** The resource that is named. */
  readonly rid: Fragment;
  /** What reference_index has as the target of the canonical. */
  readonly target: Fragment;
  readonly from: Fragment;
  readonly where: Fragment;
}

/** From canonicals to resources: the target is known from tables that stand before these. */
export function namedBy(
  compilation: Compilation,
  by: ParameterName,
  type: string,
  canonical: Fragment,
): NamedRows {
  const [named, name, last] = [compilation.alias(), compilation.alias(), compilation.alias()];
  const parameter = compilation.names.find('parameter', by);
  const { low, high } = compilation.span(type);
  const rid = sql`${named}.rid`;
  const target = sql`${name}.rid`;
  return {
    rid,
    target,
    from: sql`resource AS ${name} CROSS JOIN string_index AS ${named}`,
    where: sql`${target} = ${canonical} AND ${name}.type = ${emptyNumber} AND ${named}.parameter = ${parameter}
      AND ${named}.folded = (SELECT max(${last}.folded) FROM string_index AS ${last} WHERE ${last}.parameter = ${parameter}
        AND ${last}.folded >= ${name}.id || ${nameEnd} AND ${last}.folded < ${name}.id || ${afterNames})
      AND ${rid} BETWEEN ${low} AND ${high}`,
  };
}

/** From resources to their canonicals: the rid is bounded by the one who asks. */
export function namesOf(compilation: Compilation, by: ParameterName): NamedRows {
  const [named, name, later] = [compilation.alias(), compilation.alias(), compilation.alias()];
  const parameter = compilation.names.find('parameter', by);
  return {
    rid: sql`${named}.rid`,
    target: sql`${name}.rid`,
    from: sql`string_index AS ${named} INDEXED BY string_by_rid CROSS JOIN resource AS ${name} INDEXED BY resource_by_id`,
    where: sql`${named}.parameter = ${parameter} AND ${name}.type = ${emptyNumber} AND ${name}.id = ${named}.value
      AND NOT EXISTS (SELECT 1 FROM string_index AS ${later} WHERE ${later}.parameter = ${parameter}
        AND ${later}.folded > ${named}.folded AND ${later}.folded < ${named}.value || ${afterNames})`,
  };
}
