// A resource with a `url` is indexed under what canonical references to it are written as, so that these can be followed. Where several have one
// url, the entries lie in the order of their versions. https://hl7.org/fhir/R4/references.html#canonical
import type { ParameterName } from '../plan.ts';
import type { Collector } from './collector.ts';
import { entryNames } from './entry-names.ts';

/** Under which name resources of a type have the canonical references that lead to them. */
export const canonicalNamesOf = (type: string): ParameterName => entryNames(`${type}.url`).named;

const absolute = /^[A-Za-z][A-Za-z0-9+.-]{0,30}:/;
const control = /\p{Cc}/u;

/** What a canonical leads to, without the fragment; undefined for what has no absolute url, as what is contained. */
export function canonicalTarget(canonical: string): string | undefined {
  const [target = ''] = canonical.split('#', 1);
  return absolute.test(target) && !control.test(target) ? target : undefined;
}

/** Stands between a canonical and the order of the version: in no canonical. The next one ends what begins with the canonical. */
export const nameEnd = '\u0001';
export const afterNames = '\u0002';

/** `url` and `url|version`. */
export function addCanonicalNames(
  { url, version }: Readonly<Record<string, unknown>>,
  parameter: ParameterName,
  into: Collector,
): void {
  if (typeof url !== 'string') return;
  const written = typeof version === 'string' ? version : '';
  addName(url, versionOrder(written), parameter, into);
  if (written !== '') addName(`${url}|${written}`, '', parameter, into);
}

function addName(canonical: string, order: string, parameter: ParameterName, into: Collector): void {
  const value = canonicalTarget(canonical);
  if (value === undefined) return;
  into.add({ kind: 'string', parameter, value, folded: `${value}${nameEnd}${order}` });
}

/** Longer versions are compared by their beginning. */
const longestVersion = 100;
/** Digits of a number that is compared as a number: a date and time written in one piece has 14. */
const numberWidth = 20;

/**
 * A version as a text that stands where the version does: 1.10 after 1.9, 1.0.0-beta before 1.0.0, none before all. R4 has no rule for it;
 * this is what version numbers and dates mean as a rule.
 */
const versionOrder = (version: string): string =>
  version
    .slice(0, longestVersion)
    .replaceAll(/\d+/g, (digits) => digits.replace(/^0+(?=\d)/, '').padStart(numberWidth, '0'))
    // A space stands before the sign at the end, which stands before all others.
    .replaceAll('-', ' ')
    .concat(version === '' ? '' : '!');
