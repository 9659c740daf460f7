// The parameters that go with every interaction: https://hl7.org/fhir/R4/http.html#parameters
import { fieldsOf } from '../kernel/fields.ts';
import { badRequest } from '../kernel/outcomes.ts';
import { subsetWish, type SubsetWish } from '../fhir/subset.ts';

export interface General {
  /** The query without these parameters. */
  readonly query: string;
  readonly format: string | undefined;
  readonly pretty: boolean;
  readonly subset: SubsetWish | undefined;
  /** What of it belongs into the links to further pages, as a query. */
  readonly carried: string;
}

const none = { format: undefined, pretty: false, subset: undefined, carried: '' } as const;
const mostFields = 20;
const anyOfThem = /(?:^|&)_(?:format|pretty|summary|elements|elements(?::|%3[Aa])exclude)=/;
const oneOfThem = /^_(?:format|pretty|summary|elements|elements(?::|%3[Aa])exclude)=/;
/** Which resources match is counted, not how they are shown: that is the search's own matter. */
const counting = '_summary=count';

/** Throws Refusal `bad-request` where a single resource is asked for as a count. */
export function refuseCounting({ query }: General): void {
  if (query.split('&').includes(counting)) {
    throw badRequest('_summary=count counts what a search finds', '_summary');
  }
}

/** Throws Refusal `bad-request` for what they cannot be. */
export function generalParameters(query: string): General {
  if (!anyOfThem.test(query)) return { query, ...none };
  const pairs = query.split('&');
  const others = pairs.filter((pair) => !oneOfThem.test(pair) || pair === counting);
  const own = pairs.filter((pair) => oneOfThem.test(pair) && pair !== counting);
  const parameters = fieldsOf(own.join('&'), mostFields);
  const subset = subsetWish({
    summary: parameters.get('_summary') ?? undefined,
    elements: listOf(parameters, '_elements'),
    excluded: listOf(parameters, '_elements:exclude'),
  });
  if (subset && 'summary' in subset && subset.summary === 'text') refuseIncludes(others);
  return {
    query: others.join('&'),
    format: parameters.get('_format') || undefined,
    pretty: parameters.get('_pretty') === 'true',
    subset,
    carried: own.join('&'),
  };
}

/** Given several times it is one list. */
function listOf(parameters: URLSearchParams, name: string): string | undefined {
  const lists = parameters.getAll(name);
  return lists.length === 0 ? undefined : lists.join(',');
}

function refuseIncludes(pairs: readonly string[]): void {
  if (pairs.some((pair) => /^_(?:rev)?include\b/.test(pair))) {
    throw badRequest('_summary=text does not go together with _include and _revinclude', '_summary');
  }
}

/** Of a posted search some may stand in the url and some in the form; answers the form without them. */
export function withForm(asked: General, form: Uint8Array): readonly [General, Uint8Array] {
  const text = Buffer.from(form).toString('latin1');
  const posted = generalParameters(text);
  if (posted.query === text) return [asked, form];
  const general = {
    query: asked.query,
    format: asked.format ?? posted.format,
    pretty: asked.pretty || posted.pretty,
    subset: asked.subset ?? posted.subset,
    carried: [asked.carried, posted.carried].filter((part) => part !== '').join('&'),
  };
  return [general, Buffer.from(posted.query, 'latin1')];
}
