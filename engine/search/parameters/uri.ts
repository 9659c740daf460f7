// URI parameters: the whole value, or with :below what lies under it. https://hl7.org/fhir/R4/search.html#uri
import { leaf } from '../condition.ts';
import { unescaped } from './escapes.ts';
import { inAnySet, type ValueReader } from './reader.ts';

const matching =
  (match: 'exact' | 'below'): ValueReader =>
  (parameter, text) => {
    // A canonical's version is written after an unescaped bar: it is part of what is indexed.
    const value = unescaped(text);
    return inAnySet(parameter, ({ name }) => leaf({ kind: 'uri', parameter: name, value, match }));
  };

export const readUri = matching('exact');
export const readBelow = matching('below');
