// How strings are compared: without case, accents, apostrophes and punctuation. https://hl7.org/fhir/R4/search.html#string

const plain = /^[a-z0-9]+(?: [a-z0-9]+)*$/;
const ascii = /^[\u0000-\u007f]*$/;
const asciiApostrophes = /['`]/g;
const asciiSeparators = /[^a-z0-9]+/g;
const apostrophes = /['’‘ʼʻ`´]/g;
const marks = /\p{M}+/gu;
/** Letters that Unicode does not take apart, as people write them who do not have them. */
const written: Readonly<Record<string, string>> = {
  ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', ł: 'l', đ: 'd', ð: 'd', þ: 'th', ħ: 'h', ı: 'i', ŋ: 'n',
}; // prettier-ignore
const unwritten = new RegExp(`[${Object.keys(written).join('')}]`, 'g');
const separators = /[^\p{L}\p{N}]+/gu;

/**
 * The form in which strings are indexed and asked for: `Ng'ang'a  Wanjirũ` is `nganga wanjiru`. An apostrophe vanishes, other
 * punctuation separates words. A string of punctuation alone stays as it is, in lower case.
 */
export function foldString(text: string): string {
  const lower = text.toLowerCase();
  if (plain.test(lower)) return lower;
  const folded = ascii.test(lower) ? foldAscii(lower) : foldAny(lower);
  return folded === '' ? lower.trim() : folded;
}

/** The same with its punctuation: `Ng'ang'a, Wanjirũ` is `nganga, wanjiru`. For what is compared sign by sign. */
export function foldLetters(text: string): string {
  const lower = text.toLowerCase();
  if (ascii.test(lower)) return lower.replace(asciiApostrophes, '');
  return lower
    .normalize('NFD')
    .replace(marks, '')
    .replace(apostrophes, '')
    .replace(unwritten, (letter) => written[letter] ?? letter);
}

/** `foldString` without asking for what is not there: most texts have no accents, and it takes a third of the time. */
const foldAscii = (lower: string): string =>
  lower.replace(asciiApostrophes, '').replace(asciiSeparators, ' ').trim();

const foldAny = (lower: string): string => foldLetters(lower).replace(separators, ' ').trim();
