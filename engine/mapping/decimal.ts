// Decimals as text: read, shifted by powers of ten without losing a digit.

/** Digits beyond this are no laboratory result; the text is then kept as text. */
const longestDecimal = 40;
const plain = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,2}))?$/;

/**
 * The number that a text says, as JSON writes it (`5.000000`, `-0.5`); undefined when it says none. `mark` is the decimal
 * mark of the sender, `grouping` its thousands separator ('' for none): neither is ever guessed.
 */
export function readDecimal(text: string, mark: string, grouping: string): string | undefined {
  if (text.length > longestDecimal) return undefined;
  const ungrouped = grouping === '' ? text : withoutGrouping(text, grouping, mark);
  if (ungrouped === undefined) return undefined;
  if (mark !== '.' && ungrouped.includes('.')) return undefined;
  const parts = plain.exec(mark === '.' ? ungrouped : ungrouped.replace(mark, '.'));
  if (parts === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
  if (whole === '' && fraction === '') return undefined;
  return write(sign === '-', whole, fraction, Number(exponent));
}

/** `161,152` → `161152`; undefined when the groups are not of three digits, so that a decimal comma is never swallowed. */
function withoutGrouping(text: string, grouping: string, mark: string): string | undefined {
  const [whole = '', ...rest] = text.split(mark);
  const groups = whole.split(grouping);
  const sound = groups.every((group, place) => (place === 0 ? group.length <= 4 : /^\d{3}$/.test(group)));
  if (groups.length > 1 && !sound) return undefined;
  return [groups.join(''), ...rest].join(mark);
}

/** `decimal` × 10^`exponent`, exactly. */
export function shiftDecimal(decimal: string, exponent: number): string {
  const parts = plain.exec(decimal);
  const [, sign = '', whole = '', fraction = ''] = parts ?? [];
  return write(sign === '-', whole, fraction, exponent);
}

function write(negative: boolean, whole: string, fraction: string, exponent: number): string {
  const digits = whole + fraction;
  const point = whole.length + exponent;
  const padded = point > digits.length ? digits.padEnd(point, '0') : digits;
  const left = point > 0 ? padded.slice(0, point) : '';
  const right = point > 0 ? padded.slice(point) : '0'.repeat(-point) + padded;
  const integer = left.replace(/^0+(?=\d)/, '') || '0';
  return `${negative ? '-' : ''}${integer}${right === '' ? '' : `.${right}`}`;
}

/** `<` and its like, as FHIR's Quantity.comparator; undefined when the text starts with none. */
export function readComparator(text: string): string | undefined {
  const found = /^\s*(<=|>=|<|>|≤|≥)/.exec(text)?.[1];
  return found === '≤' ? '<=' : found === '≥' ? '>=' : found;
}

export const withoutComparator = (text: string): string => text.replace(/^\s*(<=|>=|<|>|≤|≥)\s*/, '');
