// How texts and URIs are compared, as SQL on any columns that hold them.
import type { Leaf } from '../../search/plan.ts';
import { sql, yes, type Fragment } from './fragment.ts';

type LeafOf<Kind extends Leaf['kind']> = Extract<Leaf, { kind: Kind }>;

export function comparedString(folded: Fragment, written: Fragment, leaf: LeafOf<'string'>): Fragment {
  switch (leaf.match) {
    case 'prefix':
      return prefixed(folded, leaf.value);
    case 'contains':
      return sql`instr(${folded}, ${leaf.value}) > 0`;
    case 'whole':
      return sql`${folded} = ${leaf.value}`;
    case 'suffix':
      return leaf.value === '' ? yes : sql`substr(${folded}, -length(${leaf.value})) = ${leaf.value}`;
    case 'exact':
      return sql`${written} = ${leaf.value}`;
  }
}

/** No text that begins with the prefix is greater than the prefix followed by the last code point. */
function prefixed(column: Fragment, prefix: string): Fragment {
  return sql`(${column} >= ${prefix} AND ${column} < ${`${prefix}\u{10FFFF}`})`;
}

/** `below`: the value itself and what continues it after a slash; '0' is the character after '/'. */
export function comparedUri(value: Fragment, leaf: LeafOf<'uri'>): Fragment {
  if (leaf.match === 'exact') return sql`${value} = ${leaf.value}`;
  if (leaf.match === 'versions') return comparedVersions(value, leaf.value);
  const stem = leaf.value.endsWith('/') ? leaf.value.slice(0, -1) : leaf.value;
  const [inside, end] = [`${stem}/`, `${stem}0`];
  return sql`(${value} >= ${leaf.value} AND ${value} < ${end} AND (${value} = ${leaf.value} OR ${value} >= ${inside}))`;
}

/** The canonical itself and what continues it after a hyphen or a dot: these follow each other, and the slash follows them. */
export const comparedVersions = (value: Fragment, canonical: string): Fragment =>
  sql`(${value} >= ${canonical} AND ${value} < ${`${canonical}/`} AND (${value} = ${canonical} OR ${value} >= ${`${canonical}-`}))`;
