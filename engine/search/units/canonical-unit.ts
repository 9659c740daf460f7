// UCUM codes understood: the unit in which values of the same dimension are compared, and how to get there.
// https://ucum.org/ucum#section-Syntax-Rules
import { atoms, commonUnits, prefixes } from './atoms.ts';

export const ucum = 'http://unitsofmeasure.org';

/** A value in the canonical unit is `value * factor + offset`, to twelve digits. */
export interface CanonicalUnit {
  readonly unit: string;
  readonly factor: number;
  readonly offset: number;
}

/** A unit as a factor and powers of the base units. */
interface Measure {
  readonly factor: number;
  readonly powers: ReadonlyMap<string, number>;
}

/** Temperatures do not begin at nothing: kelvins are `value * factor + offset`. */
const temperatures: Readonly<Record<string, { readonly factor: number; readonly offset: number }>> = {
  Cel: { factor: 1, offset: 273.15 },
  '[degF]': { factor: 5 / 9, offset: 459.67 * (5 / 9) },
};

const temperature = 'K1';
const longestCode = 60;
const rememberedCodes = 5000;
const remembered = new Map<string, CanonicalUnit | undefined>();

/** undefined for a code that is not understood: its values are compared by the code alone. */
export function canonicalUnit(code: string): CanonicalUnit | undefined {
  if (remembered.has(code)) return remembered.get(code);
  const found = code.length > longestCode ? undefined : resolved(code.replaceAll(/[\u00B5\u03BC]/g, 'u'));
  if (remembered.size >= rememberedCodes) remembered.clear();
  remembered.set(code, found);
  return found;
}

/** The sign for a millionth stands twice in Unicode, as a sign and as the Greek letter: a unit is the same with either. */
export const withOneMicro = (unit: string): string => unit.replaceAll('\u03BC', '\u00B5');

export function inCanonicalUnit(value: number, { factor, offset }: CanonicalUnit): number {
  const converted = value * factor + offset;
  return Number.isFinite(converted) ? Number(converted.toPrecision(12)) : converted;
}

function resolved(code: string): CanonicalUnit | undefined {
  const scale = Object.hasOwn(temperatures, code) ? temperatures[code] : undefined;
  if (scale !== undefined) return { unit: 'Cel', factor: scale.factor, offset: scale.offset - 273.15 };
  // `{INR}` and `{tablet}` are both the number 1, and not the same: only what is written as a plain 1 is a share, as % is.
  if (code !== '1' && !/[A-Za-z%*^]/.test(code.replaceAll(/\{[^{}]*\}/g, ''))) return undefined;
  const measure = readUnit(code);
  if (measure === undefined) return undefined;
  const dimension = dimensionOf(measure);
  if (dimension === temperature) return { unit: 'Cel', factor: measure.factor, offset: -273.15 };
  const common = commonByDimension.get(dimension);
  if (common === undefined) return { unit: dimension, factor: measure.factor, offset: 0 };
  return { unit: common.code, factor: measure.factor / common.factor, offset: 0 };
}

const dimensionOf = ({ powers }: Measure): string =>
  [...powers]
    .filter(([, power]) => power !== 0)
    .map(([base, power]) => `${base}${power}`)
    .sort()
    .join('.');

/** Written `[symbol][exponent][{annotation}]`, or a number, or a bracket, each after `.` or `/`. */
const piece =
  /([./]?)(?:(\()|(?:(10[*^]|(?:[A-Za-z%'_]|\[[^[\]]+\])+)([+-]?\d{1,2})?|(\d{1,9}))?(\{[^{}]*\})?)/y;

/** Reads a whole unit code; undefined when it is none or has an unknown part. */
function readUnit(code: string): Measure | undefined {
  const reader = { code, at: 0 };
  const measure = readTerm(reader, 0);
  return reader.at === code.length ? measure : undefined;
}

interface Reader {
  readonly code: string;
  at: number;
}

function readTerm(reader: Reader, depth: number): Measure | undefined {
  let whole: Measure = { factor: 1, powers: new Map() };
  const start = reader.at;
  while (reader.at < reader.code.length && reader.code[reader.at] !== ')') {
    piece.lastIndex = reader.at;
    const found = piece.exec(reader.code);
    if (found === null || found[0] === '') return undefined;
    const [text, operator, bracket, symbol, exponent, number, annotation] = found;
    if (operator === '' && reader.at > start) return undefined;
    reader.at += text.length;
    const part = bracket === undefined ? readSimple(symbol, number, annotation) : readBracket(reader, depth);
    if (part === undefined) return undefined;
    whole = multiplied(whole, part, Number(exponent ?? 1) * (operator === '/' ? -1 : 1));
  }
  return reader.at > start ? whole : undefined;
}

function readBracket(reader: Reader, depth: number): Measure | undefined {
  const inner = depth < 5 ? readTerm(reader, depth + 1) : undefined;
  if (reader.code[reader.at] !== ')') return undefined;
  reader.at += 1;
  return inner;
}

function readSimple(
  symbol: string | undefined,
  number: string | undefined,
  annotation: string | undefined,
): Measure | undefined {
  if (number !== undefined) return { factor: Number(number), powers: new Map() };
  if (symbol !== undefined) return readSymbol(symbol);
  return annotation === undefined ? undefined : { factor: 1, powers: new Map() };
}

function readSymbol(symbol: string): Measure | undefined {
  const plain = Object.hasOwn(atoms, symbol) ? atoms[symbol] : undefined;
  if (plain !== undefined) return { factor: plain[0], powers: new Map(plain[1]) };
  for (const length of [1, 2]) {
    const prefix = symbol.slice(0, length);
    const rest = symbol.slice(length);
    if (!Object.hasOwn(prefixes, prefix) || !Object.hasOwn(atoms, rest)) continue;
    const [factor, dimension, metric] = atoms[rest] ?? [0, []];
    if (metric !== undefined) return { factor: factor * (prefixes[prefix] ?? 1), powers: new Map(dimension) };
  }
  return undefined;
}

function multiplied(whole: Measure, part: Measure, exponent: number): Measure {
  const powers = new Map(whole.powers);
  for (const [base, power] of part.powers) powers.set(base, (powers.get(base) ?? 0) + power * exponent);
  return { factor: whole.factor * part.factor ** exponent, powers };
}

const commonByDimension: ReadonlyMap<string, { readonly code: string; readonly factor: number }> = new Map(
  commonUnits.flatMap((code) => {
    const measure = readUnit(code);
    return measure === undefined ? [] : [[dimensionOf(measure), { code, factor: measure.factor }] as const];
  }),
);
