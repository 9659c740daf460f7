// Quantity parameters: `gt5.4|http://unitsofmeasure.org|mg`, `5.4||mg`, `5.4`. Units of UCUM are compared by what they measure.
// https://hl7.org/fhir/R4/search.html#quantity
import { anyOf, leaf } from '../condition.ts';
import type { CompiledParameter, CompiledSet } from '../definitions/compiled.ts';
import { entryNames } from '../extraction/entry-names.ts';
import type { Condition, Span } from '../plan.ts';
import {
  canonicalUnit,
  inCanonicalUnit,
  ucum,
  withOneMicro,
  type CanonicalUnit,
} from '../units/canonical-unit.ts';
import { splitEscaped, unescaped } from './escapes.ts';
import { numberSpan } from './number.ts';
import { inAnySet, unreadable, type ValueReader } from './reader.ts';

export const readQuantity: ValueReader = (parameter, value) => {
  const [number = '', system = '', unit = '', ...more] = splitEscaped(value, '|').map(unescaped);
  if (more.length > 0) throw unreadable(parameter, 'number, number|system|code or number||unit');
  const span = numberSpan(parameter, number);
  const canonical = system === '' || system === ucum ? canonicalUnit(unit) : undefined;
  if (canonical === undefined) return asWritten(parameter, span, system, unit);
  const measured = inCanonical(parameter, number, canonical);
  // A unit without a system may also be the text of a unit.
  return system === ucum ? measured : anyOf([asWritten(parameter, span, system, unit), measured]);
};

const asWritten = (parameter: CompiledParameter, span: Span, system: string, unit: string): Condition =>
  inAnySet(parameter, ({ name }) =>
    leaf({
      kind: 'quantity',
      parameter: name,
      system: system === '' ? undefined : system,
      unit: unit === '' ? undefined : withOneMicro(unit),
      ...span,
    }),
  );

/** Values written in the canonical unit have no second entry. */
function inCanonical(parameter: CompiledParameter, number: string, canonical: CanonicalUnit): Condition {
  const span = numberSpan(parameter, number, (value) => inCanonicalUnit(value, canonical));
  const { unit } = canonical;
  const under = (name: string): Condition =>
    leaf({ kind: 'quantity', parameter: name, system: ucum, unit, ...span });
  return inAnySet(parameter, ({ name }: CompiledSet) =>
    anyOf([under(name), under(entryNames(name).canonical)]),
  );
}
