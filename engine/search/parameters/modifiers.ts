// Which modifiers each type of parameter knows, and how a parameter's values become one condition.
// https://hl7.org/fhir/R4/search.html#modifiers
import { badRequest, Refusal } from '../../kernel/outcomes.ts';
import { allOf, anyOf, leaf, not } from '../condition.ts';
import type { CompiledParameter, CompiledSet } from '../definitions/compiled.ts';
import type { Condition } from '../plan.ts';
import { compositeReader, missingWay } from './composite.ts';
import { readDate } from './date.ts';
import { splitEscaped } from './escapes.ts';
import { readNear } from './near.ts';
import { readNumber } from './number.ts';
import { readPhonetic } from './phonetic.ts';
import { readQuantity } from './quantity.ts';
import { unreadable, type ReadingOptions, type ValueReader } from './reader.ts';
import {
  missingType,
  readHierarchy,
  readIdentifier,
  readReference,
  readReferenceText,
  readTypedReference,
  targetTypes,
} from './reference.ts';
import { readContains, readExact, readString } from './string.ts';
import { readIn, readOfType, readSubsumed, readToken, readTokenText } from './token.ts';
import { readAbove, readBelow, readUri } from './uri.ts';
import { readWords } from './words.ts';

type Readers = Readonly<Record<string, ValueReader>>;

/** By parameter type (or how else it is read) and modifier; '' is none. `missing` and a resource type are read for themselves. */
const readers: Readonly<Record<string, Readers>> = {
  composite: { '': compositeReader((part) => plainReader(part)) },
  date: { '': readDate },
  number: { '': readNumber },
  phonetic: { '': readPhonetic },
  position: { '': readNear },
  quantity: { '': readQuantity },
  reference: {
    '': readReference,
    above: readHierarchy('above'),
    below: readHierarchy('below'),
    identifier: readIdentifier,
    text: readReferenceText,
  },
  string: { '': readString, contains: readContains, exact: readExact },
  text: { '': readWords },
  token: {
    '': readToken,
    above: readSubsumed('above'),
    below: readSubsumed('below'),
    in: readIn,
    'of-type': readOfType,
    text: readTokenText,
  },
  uri: { '': readUri, above: readAbove, below: readBelow },
};

/** Modifiers of tokens that turn another round. */
const negated: Readonly<Record<string, string>> = { not: '', 'not-in': 'in' };

const maximumAlternatives = 500;

/** The condition of `code:modifier=values`. Throws Refusal `unknown-parameter` for a modifier that is not known. */
export function readParameter(
  parameter: CompiledParameter,
  modifier: string,
  values: string,
  options: ReadingOptions,
): Condition {
  if (modifier === 'missing') return readMissing(parameter, values, options);
  const turned =
    parameter.type === 'token' && Object.hasOwn(negated, modifier) ? negated[modifier] : undefined;
  const reader = readerFor(parameter, turned ?? modifier, options);
  const alternatives = splitEscaped(values, ',');
  if (alternatives.length > maximumAlternatives) {
    throw badRequest(`${parameter.code} has more than ${maximumAlternatives} alternatives`, parameter.code);
  }
  if (alternatives.includes('')) throw unreadable(parameter, 'a value on each side of a comma');
  const condition = anyOf(alternatives.map((value) => reader(parameter, value, options)));
  return turned === undefined ? condition : not(condition);
}

const readersOf = ({ type, reads }: CompiledParameter): Readers => readers[reads ?? type] ?? {};

function plainReader(parameter: CompiledParameter): ValueReader {
  const reader = readersOf(parameter)[''];
  if (reader === undefined) throw new Error(`nothing reads values of type ${parameter.type}`);
  return reader;
}

function readerFor(parameter: CompiledParameter, modifier: string, options: ReadingOptions): ValueReader {
  const known = readersOf(parameter);
  if (Object.hasOwn(known, modifier) && known[modifier] !== undefined) return known[modifier];
  if (parameter.literal && targetTypes(parameter, options).includes(modifier)) {
    return readTypedReference(modifier);
  }
  throw unknownModifier(parameter, modifier, Object.keys(known));
}

function unknownModifier(parameter: CompiledParameter, modifier: string, known: readonly string[]): Refusal {
  const names = [
    ...known.filter((name) => name !== ''),
    'missing',
    ...(parameter.type === 'token' ? Object.keys(negated) : []),
  ];
  const types = parameter.literal ? ' and the type that it points at' : '';
  return new Refusal(
    'unknown-parameter',
    `the modifier :${modifier.slice(0, 64)} is not supported for ${parameter.code}; supported: ${names.map((name) => `:${name}`).join(', ')}${types}`,
    parameter.code,
  );
}

/** `:missing=true`: nothing is indexed that the parameter would find. */
function readMissing(parameter: CompiledParameter, value: string, options: ReadingOptions): Condition {
  if (value !== 'true' && value !== 'false') throw unreadable(parameter, 'true or false after :missing');
  const missing = missingAltogether(parameter, options);
  return value === 'true' ? missing : not(missing);
}

const missingAltogether = (parameter: CompiledParameter, options: ReadingOptions): Condition =>
  parameter.composite === undefined
    ? allOf(parameter.sets.map((set) => missingIn(parameter, set)))
    : allOf(
        parameter.composite.ways.map((way) =>
          missingWay(parameter, way, options, (part) => missingAltogether(part, options)),
        ),
      );

function missingIn(parameter: CompiledParameter, { name, only }: CompiledSet): Condition {
  if (only === undefined) return leaf({ kind: 'missing', parameter: name });
  return parameter.type === 'token'
    ? not(leaf({ kind: 'token', parameter: name, system: only, code: undefined }))
    : missingType(name, only);
}
