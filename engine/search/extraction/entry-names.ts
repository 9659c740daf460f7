// The names beside a parameter's own under which a value has further entries: for modifiers, and for other units.
import type { ParameterName } from '../plan.ts';

export interface EntryNames {
  readonly plain: ParameterName;
  /** Texts and displays: `:text`. */
  readonly text: ParameterName;
  /** References by identifier: `:identifier`. */
  readonly identifier: ParameterName;
  /** Identifiers by their type, code `type|value`: `:of-type`. */
  readonly ofType: ParameterName;
  /** Quantities in the canonical unit where they are written in another. */
  readonly canonical: ParameterName;
  /** A url with the version of its resource, as canonical references have them: chains. */
  readonly named: ParameterName;
  /** Canonical references as they are written, with the version or without: chains. */
  readonly written: ParameterName;
}

export const entryNames = (plain: ParameterName): EntryNames => ({
  plain,
  text: `${plain}:text`,
  identifier: `${plain}:identifier`,
  ofType: `${plain}:of-type`,
  canonical: `${plain}:canonical`,
  named: `${plain}:named`,
  written: `${plain}:written`,
});
