// `_content` and `_text`: resources that have all the words; `haem*` is a word that begins so.
// https://hl7.org/fhir/R4/search.html#content
import { badRequest } from '../../kernel/outcomes.ts';
import { leaf } from '../condition.ts';
import { foldString } from '../fold-string.ts';
import { unescaped } from './escapes.ts';
import { inAnySet, unreadable, type ValueReader } from './reader.ts';

const maximumWords = 20;
/** A word of one letter, or a beginning of two, would be found nearly everywhere. */
const shortestWord = 2;
const shortestBeginning = 3;
const longestWord = 40;

export const readWords: ValueReader = (parameter, text) => {
  const words = unescaped(text).split(/\s+/).flatMap(wordsIn);
  if (words.length === 0) throw unreadable(parameter, 'one or more words');
  if (words.length > maximumWords) {
    throw badRequest(`${parameter.code} has more than ${maximumWords} words`, parameter.code);
  }
  const tooShort = ({ word, prefix }: Word): boolean =>
    word.length < (prefix ? shortestBeginning : shortestWord);
  if (words.every(tooShort)) {
    throw badRequest(
      `${parameter.code} needs a word of ${shortestWord} letters or a beginning of ${shortestBeginning}`,
      parameter.code,
    );
  }
  return inAnySet(parameter, ({ name }) => leaf({ kind: 'text', parameter: name, words }));
};

interface Word {
  readonly word: string;
  readonly prefix: boolean;
}

/** What is written as one word can fold to several: `x-ray*`; only the last is a beginning. */
function wordsIn(written: string): readonly Word[] {
  const begins = written.endsWith('*');
  const folded = foldString(written)
    .split(' ')
    .filter((word) => /[\p{L}\p{N}]/u.test(word));
  return folded.map((word, place) => ({
    word: word.slice(0, longestWord),
    prefix: begins && place === folded.length - 1,
  }));
}
