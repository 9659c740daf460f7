// `_filter` as a condition: what each of its operators asks of each type of parameter.
// https://hl7.org/fhir/R4/search_filter.html#ops
import { Refusal } from '../../kernel/outcomes.ts';
import { allOf, anyOf, leaf, not } from '../condition.ts';
import type { CompiledParameter } from '../definitions/compiled.ts';
import { dateSpan } from '../parameters/date.ts';
import { readParameter } from '../parameters/modifiers.ts';
import { inAnySet, type ReadingOptions } from '../parameters/reader.ts';
import { readEnding, readWhole } from '../parameters/string.ts';
import type { Condition } from '../plan.ts';
import { ConditionReader, type ParameterTable } from './conditions.ts';
import { parseFilter, type Filter, type FilterStep } from './filter-text.ts';

/** Throws Refusal `bad-request` for what is no filter, `unknown-parameter` for what the type does not have. */
export const readFilter = (
  type: string,
  text: string,
  table: ParameterTable,
  options: ReadingOptions,
): Condition =>
  conditionOf(type, parseFilter(text), { reader: new ConditionReader(table, options), options });

interface Context {
  readonly reader: ConditionReader;
  readonly options: ReadingOptions;
}

function conditionOf(type: string, filter: Filter, context: Context): Condition {
  switch (filter.op) {
    case 'and':
      return allOf(filter.of.map((part) => conditionOf(type, part, context)));
    case 'or':
      return anyOf(filter.of.map((part) => conditionOf(type, part, context)));
    case 'not':
      return not(conditionOf(type, filter.of, context));
    case 'compare':
      return along(type, filter.path, filter, context);
  }
}

type Comparison = Extract<Filter, { readonly op: 'compare' }>;

function along(
  type: string,
  [step, ...rest]: readonly FilterStep[],
  comparison: Comparison,
  context: Context,
): Condition {
  const { name = '', filter } = step ?? {};
  if (rest.length > 0) {
    return context.reader.chain(type, name, (target) =>
      allOf([
        filter === undefined ? { op: 'every' } : conditionOf(target, filter, context),
        along(target, rest, comparison, context),
      ]),
    );
  }
  if (filter !== undefined) throw refused(name, 'a filter in brackets stands before a dot');
  return compared(type, name, comparison, context);
}

function compared(
  type: string,
  code: string,
  { comparison, value }: Comparison,
  context: Context,
): Condition {
  if (code === '_id' || code === '_lastUpdated') return ofOwnRow(type, code, comparison, value, context);
  const parameter = context.reader.parameter(type, code);
  const kind = parameter.reads ?? parameter.type;
  const known = Object.hasOwn(operators, comparison) ? operators[comparison] : undefined;
  const read = known?.[kind] ?? known?.any;
  if (read === undefined) {
    throw refused(code, `the operator ${comparison.slice(0, 8)} is not for values of type ${kind}`);
  }
  return read(parameter, value, context.options);
}

function ofOwnRow(
  type: string,
  code: string,
  comparison: string,
  value: string,
  { reader }: Context,
): Condition {
  if (code === '_lastUpdated' && ordered.includes(comparison)) {
    return reader.read(type, code, `${comparison}${escaped(value)}`);
  }
  if (comparison === 'eq') return reader.read(type, code, escaped(value));
  if (comparison === 'ne') return reader.read(type, `${code}:not`, escaped(value));
  throw refused(code, `the operator ${comparison.slice(0, 8)} is not for ${code}`);
}

const refused = (code: string, why: string): Refusal =>
  new Refusal('unknown-parameter', `_filter on ${code.slice(0, 64)}: ${why}`, '_filter');

type Operator = (parameter: CompiledParameter, value: string, options: ReadingOptions) => Condition;

/** As in a URL, where commas, backslashes and dollars part values. Bars keep their meaning. */
const escaped = (value: string): string => value.replaceAll(/[\\,$]/g, '\\$&');
const wholly = (value: string): string => value.replaceAll(/[\\,$|]/g, '\\$&');

const asIs: Operator = (parameter, value, options) => readParameter(parameter, '', escaped(value), options);
/** The values of a composite are joined by dollars. */
const joined: Operator = (parameter, value, options) => readParameter(parameter, '', value, options);
const without =
  (operator: Operator): Operator =>
  (parameter, value, options) =>
    not(operator(parameter, value, options));
const modified =
  (modifier: string): Operator =>
  (parameter, value, options) =>
    readParameter(parameter, modifier, wholly(value), options);
const modifiedToken =
  (modifier: string): Operator =>
  (parameter, value, options) =>
    readParameter(parameter, modifier, escaped(value), options);
const prefixed =
  (prefix: string): Operator =>
  (parameter, value, options) =>
    readParameter(parameter, '', `${prefix}${escaped(value)}`, options);

const whole: Operator = (parameter, value, options) => readWhole(parameter, wholly(value), options);
const ending: Operator = (parameter, value, options) => readEnding(parameter, wholly(value), options);

/** `po`: the spans have a moment in common. */
const overlapping: Operator = (parameter, value, options) => {
  const { low, high } = dateSpan(parameter, value, options);
  return inAnySet(parameter, ({ name }) =>
    leaf({ kind: 'date', parameter: name, comparator: 'ap', low, high }),
  );
};

const present: Operator = (parameter, value, options) =>
  not(readParameter(parameter, 'missing', escaped(value), options));

/** By the type of the parameter: date, number and quantity. */
const forOrdered = (operator: Operator): Readonly<Record<string, Operator>> => ({
  date: operator,
  number: operator,
  quantity: operator,
});

const ordered: readonly string[] = ['gt', 'lt', 'ge', 'le', 'ap', 'sa', 'eb'];

/** By operator, then by the type of the parameter; `any` for those not named. */
const operators: Readonly<Record<string, Readonly<Record<string, Operator>>>> = {
  ...Object.fromEntries(ordered.map((prefix) => [prefix, forOrdered(prefixed(prefix))])),
  eq: { any: asIs, string: whole, composite: joined },
  ne: { any: without(asIs), string: without(whole), ...forOrdered(prefixed('ne')) },
  co: { string: modified('contains') },
  sw: { string: modified('') },
  ew: { string: ending },
  pr: { any: present },
  po: { date: overlapping },
  ss: { token: modifiedToken('below'), uri: modified('below'), reference: modified('below') },
  sb: { token: modifiedToken('above'), uri: modified('above'), reference: modified('above') },
  in: { token: modified('in') },
  ni: { token: modified('not-in') },
  re: { reference: asIs },
};
