// Canonical references lead by number, as others do: a resource with a `url` is indexed under what a reference to it may be written as, and
// where several have one url, the latest of them is told by the order of their versions. https://hl7.org/fhir/R4/references.html#canonical
import type { ParameterName } from '../plan.ts';
import type { Collector } from './collector.ts';
import { entryNames } from './entry-names.ts';

/** Under which name resources of a type have the canonical references that lead to them. */
export const canonicalNamesOf = (type: string): ParameterName => entryNames(`${type}.url`).named;

const absolute = /^[A-Za-z][A-Za-z0-9+.-]{0,30}:/;

/** What a canonical leads to, without the fragment; undefined for what has no absolute url, as what is contained. */
export function canonicalTarget(canonical: string): string | undefined {
  const [target = ''] = canonical.split('#', 1);
  return absolute.test(target) ? target : undefined;
}

/** `url` and `url|version`, and the version by its order. */
export function addCanonicalNames(
  { url, version }: Readonly<Record<string, unknown>>,
  parameter: ParameterName,
  into: Collector,
): void {
  const target = typeof url === 'string' ? canonicalTarget(url) : undefined;
  if (target === undefined) return;
  const written = typeof version === 'string' ? version : '';
  into.add({ kind: 'reference', parameter, target });
  if (written !== '') into.add({ kind: 'reference', parameter, target: `${target}|${written}` });
  into.add({ kind: 'string', parameter, value: written, folded: versionOrder(written) });
}

/** Longer versions are compared by their beginning. */
const longestVersion = 100;
/** Digits of a number that is compared as a number: a date and time written in one piece has 14. */
const numberWidth = 20;

/**
 * A version as a text that stands where the version does: 1.10 after 1.9, 1.0.0-beta before 1.0.0, none before all. R4 has no rule for it;
 * this is what version numbers and dates mean as a rule.
 */
export const versionOrder = (version: string): string =>
  version
    .slice(0, longestVersion)
    .replaceAll(/\d+/g, (digits) => digits.replace(/^0+(?=\d)/, '').padStart(numberWidth, '0'))
    // A space stands before the sign at the end, which stands before all others.
    .replaceAll('-', ' ')
    .concat('!');
