// A search URL's query, understood: what is asked of the store, what comes along, and how the query reads when it is normalised.
// https://hl7.org/fhir/R4/search.html
import { fieldsOf } from '../../kernel/fields.ts';
import { badRequest, Refusal } from '../../kernel/outcomes.ts';
import { allOf } from '../condition.ts';
import type { ReadingOptions } from '../parameters/reader.ts';
import type { Condition, SortKey } from '../plan.ts';
import type { Include, SearchOptions, SearchRequest } from '../search-index.ts';
import { readCondition, type ParameterTable } from './conditions.ts';
import { readFilter } from './filter.ts';
import { refuseWide } from './guards.ts';
import { readInclude } from './includes.ts';
import { readSort } from './sorting.ts';

/** What the keys of the query come to, one after another. */
interface Draft {
  readonly type: string;
  readonly conditions: Condition[];
  readonly includes: Include[];
  order: readonly SortKey[];
  count: number;
  total: SearchRequest['plan']['total'];
  after: string | undefined;
  before: string | undefined;
}

interface Sources {
  readonly table: ParameterTable;
  readonly options: SearchOptions;
  readonly reading: ReadingOptions;
}

/** What a key that is no search parameter does; answers its value as `self` shows it, or undefined when it does not. */
type ResultParameter = (
  draft: Draft,
  value: string,
  modifier: string,
  sources: Sources,
) => string | undefined;

/** https://hl7.org/fhir/R4/search.html#Summary: how the results are to come, not which. */
const resultParameters: Readonly<Record<string, ResultParameter>> = {
  _count(draft, value, _modifier, { options }) {
    if (!/^\d{1,9}$/.test(value)) throw badRequest('_count is a whole number, 0 or more', '_count');
    draft.count = Math.min(Number(value), options.maximumCount);
    return String(draft.count);
  },
  _sort(draft, value, _modifier, { table }) {
    draft.order = [...draft.order, ...readSort(draft.type, value, table)];
    if (draft.order.length > maximumSortKeys) {
      throw badRequest(`_sort names at most ${maximumSortKeys} parameters`, '_sort');
    }
    return value;
  },
  _total(draft, value) {
    if (!/^(?:none|estimate|accurate)$/.test(value)) {
      throw badRequest('_total is none, estimate or accurate', '_total');
    }
    draft.total = value as Draft['total'];
    return value;
  },
  _summary(draft, value) {
    if (!/^(?:true|text|data|count|false)$/.test(value)) {
      throw badRequest('_summary is true, text, data, count or false', '_summary');
    }
    if (value === 'count') draft.count = 0;
    return value === 'false' ? undefined : value;
  },
  // Which elements the answer shows is decided where it is written.
  _elements(_draft, value) {
    if (!/^[A-Za-z][\w.,:-]{0,999}$/.test(value)) throw badRequest('_elements names elements', '_elements');
    return value;
  },
  _include(draft, value, modifier, { table }) {
    addInclude(draft, readInclude('include', modifier, value, draft.type, table));
    return value;
  },
  _revinclude(draft, value, modifier, { table }) {
    addInclude(draft, readInclude('revinclude', modifier, value, draft.type, table));
    return value;
  },
  _filter(draft, value, _modifier, { table, reading }) {
    draft.conditions.push(readFilter(draft.type, value, table, reading));
    return value;
  },
  _page(draft, value) {
    draft.after = value;
    return undefined;
  },
  _back(draft, value) {
    draft.before = value;
    return undefined;
  },
  // https://hl7.org/fhir/R4/search.html#contained
  _contained(_draft, value) {
    if (value === 'false') return value;
    throw new Refusal(
      'unknown-parameter',
      'contained resources are not found by themselves here',
      '_contained',
    );
  },
  _query() {
    throw new Refusal('unknown-parameter', 'there are no named queries here', '_query');
  },
  // How the answer is written is decided before a search is read.
  _format: () => undefined,
  _pretty: () => undefined,
};

/** Those of them that have modifiers. */
const modifiedParameters: ReadonlySet<string> = new Set(['_include', '_revinclude']);

const maximumKeys = 100;
const maximumSortKeys = 10;
const maximumIncludes = 30;

/** Each once: the same again brings nothing along, and takes as long. */
function addInclude({ includes }: Draft, include: Include): void {
  if (includes.some((known) => isSame(known, include))) return;
  if (includes.length === maximumIncludes) {
    throw badRequest(
      `_include and _revinclude are there at most ${maximumIncludes} times`,
      `_${include.kind}`,
    );
  }
  includes.push(include);
}

const isSame = (one: Include, other: Include): boolean =>
  one.kind === other.kind &&
  one.source === other.source &&
  one.parameter === other.parameter &&
  one.target === other.target &&
  one.iterate === other.iterate;

/** Throws Refusal `unknown-parameter` (unless lenient) or `bad-request`. */
export function readRequest(
  type: string,
  query: string,
  table: ParameterTable,
  options: SearchOptions,
  zoneOffsetMinutes: number,
): Omit<SearchRequest, 'unfinished'> {
  if (!table.isType(type)) throw badRequest('a search is for a resource type');
  const base = options.base.replace(/\/+$/, '');
  const sources = { table, options, reading: readingOptions(base, table, options, zoneOffsetMinutes) };
  const draft: Draft = {
    type,
    conditions: [],
    includes: [],
    order: [],
    count: options.defaultCount,
    total: 'none',
    after: undefined,
    before: undefined,
  };
  const self: string[] = [];
  const ignored: string[] = [];
  for (const [key, value] of pairsOf(query)) {
    try {
      const shown = readPair(draft, key, value, sources);
      if (shown !== undefined) self.push(`${inQuery(key)}=${inQuery(shown)}`);
    } catch (error) {
      if (!options.lenient || !(error instanceof Refusal) || error.code !== 'unknown-parameter') throw error;
      ignored.push(key);
    }
  }
  return { plan: planOf(draft), includes: draft.includes, self: self.join('&'), ignored };
}

const readingOptions = (
  base: string,
  table: ParameterTable,
  options: SearchOptions,
  zoneOffsetMinutes: number,
): ReadingOptions => ({
  base,
  zoneOffsetMinutes,
  types: table.types,
  answers: options.answers,
  find: (type, code) => table.find(type, code),
});

function pairsOf(query: string): readonly (readonly [string, string])[] {
  return [...fieldsOf(query, maximumKeys)];
}

function readPair(draft: Draft, key: string, value: string, sources: Sources): string | undefined {
  if (value === '') throw badRequest(`the parameter ${key.slice(0, 64)} has no value`, key.slice(0, 64));
  const [code = '', modifier = ''] = key.split(/:(.*)/s);
  const result = Object.hasOwn(resultParameters, code) ? resultParameters[code] : undefined;
  if (result !== undefined) {
    if (modifier !== '' && !modifiedParameters.has(code)) {
      throw new Refusal('unknown-parameter', `${code} has no modifiers`, code);
    }
    return result(draft, value, modifier, sources);
  }
  draft.conditions.push(readCondition(draft.type, key, value, sources.table, sources.reading));
  return value;
}

function planOf(draft: Draft): SearchRequest['plan'] {
  const where = allOf(draft.conditions);
  refuseWide(where);
  if (draft.after !== undefined && draft.before !== undefined) {
    throw badRequest('a page lies after one place or before one, not both');
  }
  return {
    type: draft.type,
    where,
    order: draft.order,
    count: draft.count,
    after: draft.after,
    ...(draft.before === undefined ? {} : { before: draft.before }),
    total: draft.count === 0 ? 'accurate' : draft.total,
  };
}

/** Percent-encoded, but for what may stand in a query and is easier to read as it is. */
const inQuery = (text: string): string =>
  encodeURIComponent(text).replaceAll(/%(?:3A|2C|2F|24|40)/g, (code) => decodeURIComponent(code));
