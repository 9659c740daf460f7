// Which modifiers each type of parameter knows, and how a parameter's values become one condition.
// https://hl7.org/fhir/R4/search.html#modifiers
import { badRequest, Refusal } from '../../kernel/outcomes.ts';
import { allOf, anyOf, leaf, not } from '../condition.ts';
import type { CompiledParameter, CompiledSet } from '../definitions/compiled.ts';
import type { Condition } from '../plan.ts';
import { readDate } from './date.ts';
import { splitEscaped } from './escapes.ts';
import { readNumber } from './number.ts';
import { readQuantity } from './quantity.ts';
import { unreadable, type ReadingOptions, type ValueReader } from './reader.ts';
import { readReference, readTypedReference, targetTypes } from './reference.ts';
import { readContains, readExact, readString } from './string.ts';
import { readToken } from './token.ts';
import { readBelow, readUri } from './uri.ts';

type Readers = Readonly<Record<string, ValueReader>>;

/** By parameter type and modifier; '' is none. `missing`, `not` and a resource type are read for themselves. */
const readers: Readonly<Record<string, Readers>> = {
  date: { '': readDate },
  number: { '': readNumber },
  quantity: { '': readQuantity },
  reference: { '': readReference },
  string: { '': readString, contains: readContains, exact: readExact },
  token: { '': readToken },
  uri: { '': readUri, below: readBelow },
};

const maximumAlternatives = 500;

/** The condition of `code:modifier=values`. Throws Refusal `unknown-parameter` for a modifier that is not known. */
export function readParameter(
  parameter: CompiledParameter,
  modifier: string,
  values: string,
  options: ReadingOptions,
): Condition {
  if (modifier === 'missing') return readMissing(parameter, values);
  const negated = modifier === 'not' && parameter.type === 'token';
  const reader = readerFor(parameter, negated ? '' : modifier, options);
  const alternatives = splitEscaped(values, ',');
  if (alternatives.length > maximumAlternatives) {
    throw badRequest(`${parameter.code} has more than ${maximumAlternatives} alternatives`, parameter.code);
  }
  if (alternatives.includes('')) throw unreadable(parameter, 'a value on each side of a comma');
  const condition = anyOf(alternatives.map((value) => reader(parameter, value, options)));
  return negated ? not(condition) : condition;
}

function readerFor(parameter: CompiledParameter, modifier: string, options: ReadingOptions): ValueReader {
  const known = readers[parameter.type] ?? {};
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
    ...(parameter.type === 'token' ? ['not'] : []),
  ];
  const types = parameter.literal ? ' and the type that it points at' : '';
  return new Refusal(
    'unknown-parameter',
    `the modifier :${modifier} is not supported for ${parameter.code}; supported: ${names.map((name) => `:${name}`).join(', ')}${types}`,
    parameter.code,
  );
}

/** `:missing=true`: nothing is indexed that the parameter would find. */
function readMissing(parameter: CompiledParameter, value: string): Condition {
  if (value !== 'true' && value !== 'false') throw unreadable(parameter, 'true or false after :missing');
  const missing = allOf(parameter.sets.map((set) => missingIn(parameter, set)));
  return value === 'true' ? missing : not(missing);
}

function missingIn(parameter: CompiledParameter, { name, only }: CompiledSet): Condition {
  if (only === undefined) return leaf({ kind: 'missing', parameter: name });
  if (parameter.type === 'token') {
    return not(leaf({ kind: 'token', parameter: name, system: only, code: undefined }));
  }
  return not({ op: 'points-at', parameter: name, target: only, where: { op: 'every' } });
}
