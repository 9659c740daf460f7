// Positions within a distance as SQL: a box around the circle, which the index can be entered at, and the exact great circle.
// A position lies in range_index with its latitude as `low` and its longitude as `high`.
import { earthRadiusMetres } from '../../search/great-circle.ts';
import type { Leaf } from '../../search/plan.ts';
import { sql, yes, type Fragment } from './fragment.ts';

const radians = Math.PI / 180;
/** The box is so much wider than the circle, in degrees, that no rounding cuts a position off. */
const slack = 1e-6;

type Near = Extract<Leaf, { kind: 'near' }>;

/** By the haversine formula: https://en.wikipedia.org/wiki/Haversine_formula */
export function comparedPosition(latitude: Fragment, longitude: Fragment, near: Near): Fragment {
  const angle = near.metres / earthRadiusMetres;
  if (angle >= Math.PI) return yes;
  const furthest = Math.sin(angle / 2) ** 2;
  const cosine = Math.cos(near.latitude * radians);
  const haversine = sql`(pow(sin((${latitude} - ${near.latitude}) * ${radians / 2}), 2)
    + ${cosine} * cos(${latitude} * ${radians}) * pow(sin((${longitude} - ${near.longitude}) * ${radians / 2}), 2))`;
  return sql`(${insideBox(latitude, longitude, near, angle)} AND ${haversine} <= ${furthest})`;
}

function insideBox(latitude: Fragment, longitude: Fragment, near: Near, angle: number): Fragment {
  const height = angle / radians + slack;
  const rows = sql`${latitude} >= ${near.latitude - height} AND ${latitude} <= ${near.latitude + height}`;
  // A circle over a pole has every longitude.
  if (Math.abs(near.latitude) + height >= 90) return rows;
  const width = Math.asin(Math.sin(angle) / Math.cos(near.latitude * radians)) / radians + slack;
  return sql`${rows} AND ${insideLongitudes(longitude, near.longitude - width, near.longitude + width)}`;
}

/** West may lie below -180 and east above 180: such a box goes on at the other side of the date line. */
function insideLongitudes(longitude: Fragment, west: number, east: number): Fragment {
  if (west < -180) return sql`(${longitude} <= ${east} OR ${longitude} >= ${west + 360})`;
  if (east > 180) return sql`(${longitude} >= ${west} OR ${longitude} <= ${east - 360})`;
  return sql`${longitude} >= ${west} AND ${longitude} <= ${east}`;
}
