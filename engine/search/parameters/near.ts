// `near=latitude|longitude|distance|units`: within so far, along a great circle. https://hl7.org/fhir/R4/location.html#positional
import { leaf } from '../condition.ts';
import { exactNumber } from '../number-range.ts';
import { canonicalUnit, inCanonicalUnit } from '../units/canonical-unit.ts';
import { splitEscaped, unescaped } from './escapes.ts';
import { inAnySet, unreadable, type ValueReader } from './reader.ts';

/** Where none is written. */
const defaultDistance = '50';
const defaultUnit = 'km';
/** Names that people give to units of UCUM. */
const spokenUnits: Readonly<Record<string, string>> = { mi: '[mi_us]', miles: '[mi_us]', ft: '[ft_i]' };
const halfWayRound = 20_040_000;
const centimetresPerMetre = 100;

export const readNear: ValueReader = (parameter, value) => {
  const [north = '', east = '', distance = '', unit = '', ...more] = splitEscaped(value, '|').map(unescaped);
  const [latitude, longitude] = [exactNumber(north), exactNumber(east)];
  const metres = metresOf(distance === '' ? defaultDistance : distance, unit === '' ? defaultUnit : unit);
  const onEarth =
    latitude !== undefined &&
    longitude !== undefined &&
    Math.abs(latitude) <= 90 &&
    Math.abs(longitude) <= 180;
  if (!onEarth || metres === undefined || more.length > 0) {
    throw unreadable(
      parameter,
      'latitude|longitude|distance|units in degrees and a unit of length such as km',
    );
  }
  return inAnySet(parameter, ({ name }) =>
    leaf({ kind: 'near', parameter: name, latitude, longitude, metres: Math.min(metres, halfWayRound) }),
  );
};

function metresOf(distance: string, unit: string): number | undefined {
  const value = exactNumber(distance);
  const code = Object.hasOwn(spokenUnits, unit) ? (spokenUnits[unit] ?? unit) : unit;
  const canonical = canonicalUnit(code);
  if (value === undefined || value < 0 || canonical?.unit !== 'cm') return undefined;
  return inCanonicalUnit(value, canonical) / centimetresPerMetre;
}
