// Quantity parameters: `gt5.4|http://unitsofmeasure.org|mg`, `5.4||mg`, `5.4`.
// https://hl7.org/fhir/R4/search.html#quantity
import { leaf } from '../condition.ts';
import { splitEscaped, unescaped } from './escapes.ts';
import { numberSpan } from './number.ts';
import { inAnySet, unreadable, type ValueReader } from './reader.ts';

export const readQuantity: ValueReader = (parameter, value) => {
  const [number = '', system = '', unit = '', ...more] = splitEscaped(value, '|').map(unescaped);
  if (more.length > 0) throw unreadable(parameter, 'number, number|system|code or number||unit');
  const span = numberSpan(parameter, number);
  return inAnySet(parameter, ({ name }) =>
    leaf({
      kind: 'quantity',
      parameter: name,
      system: system === '' ? undefined : system,
      unit: unit === '' ? undefined : unit,
      ...span,
    }),
  );
};
