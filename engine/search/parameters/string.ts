// String parameters: by default the folded value begins with what is asked. https://hl7.org/fhir/R4/search.html#string
import { leaf } from '../condition.ts';
import { foldString } from '../fold-string.ts';
import { unescaped } from './escapes.ts';
import { inAnySet, type ValueReader } from './reader.ts';

const matching =
  (match: 'prefix' | 'contains' | 'whole' | 'suffix'): ValueReader =>
  (parameter, text) => {
    const value = foldString(unescaped(text));
    return inAnySet(parameter, ({ name }) => leaf({ kind: 'string', parameter: name, match, value }));
  };

export const readString = matching('prefix');
export const readContains = matching('contains');
/** Only in `_filter`: `eq` and `ew`. */
export const readWhole = matching('whole');
export const readEnding = matching('suffix');

export const readExact: ValueReader = (parameter, text) => {
  const value = unescaped(text);
  return inAnySet(parameter, ({ name }) => leaf({ kind: 'string', parameter: name, match: 'exact', value }));
};
