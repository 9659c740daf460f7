// `phonetic`: every word sounds like one of the name. https://hl7.org/fhir/R4/patient.html#search
import { allOf, anyOf, leaf } from '../condition.ts';
import { foldString } from '../fold-string.ts';
import { phoneticKeys } from '../phonetic.ts';
import type { Condition } from '../plan.ts';
import { unescaped } from './escapes.ts';
import { inAnySet, unreadable, type ValueReader } from './reader.ts';

const maximumWords = 8;

export const readPhonetic: ValueReader = (parameter, text) => {
  const words = foldString(unescaped(text)).split(' ', maximumWords).map(phoneticKeys);
  if (words.some((keys) => keys.length === 0)) throw unreadable(parameter, 'a name in Latin letters');
  const sounding = (code: string): Condition =>
    inAnySet(parameter, ({ name }) => leaf({ kind: 'token', parameter: name, system: '', code }));
  return allOf(words.map((keys) => anyOf(keys.map(sounding))));
};
