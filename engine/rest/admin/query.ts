// The filters of the admin lists, read from the query. What is unknown or malformed is refused, never ignored.
import { instantRange } from '../../fhir/instants.ts';
import { badRequest, Refusal } from '../../kernel/outcomes.ts';

export interface Page {
  readonly limit: number;
  readonly offset: number;
}

const usualCount = 50;
const greatestCount = 500;
const greatestOffset = 10_000_000;
const longestText = 300;

export const pageParameters = ['_count', '_offset'] as const;

/** Throws Refusal `unknown-parameter` or `bad-request` for a name that is not `known`, or is given twice. */
export function admitNames(query: URLSearchParams, known: readonly string[]): void {
  for (const name of new Set(query.keys())) {
    if (!known.includes(name)) {
      throw new Refusal(
        'unknown-parameter',
        `known parameters are: ${known.join(', ')}`,
        name.slice(0, longestText),
      );
    }
    if (query.getAll(name).length > 1) throw badRequest('give this parameter once', name);
  }
}

export function readPage(query: URLSearchParams): Page {
  return {
    limit: wholeNumber(query, '_count', usualCount, greatestCount),
    offset: wholeNumber(query, '_offset', 0, greatestOffset),
  };
}

function wholeNumber(query: URLSearchParams, name: string, otherwise: number, greatest: number): number {
  const text = query.get(name);
  if (text === null) return otherwise;
  if (!/^[0-9]{1,9}$/.test(text) || Number(text) > greatest) {
    throw badRequest(`${name} is a whole number from 0 to ${greatest}`, name);
  }
  return Number(text);
}

/** An object with the parameter under `as`, or an empty one when it is not given. */
export function readText<As extends string>(
  query: URLSearchParams,
  name: string,
  as: As,
): { readonly [name in As]?: string } {
  const text = query.get(name);
  if (text === null) return {};
  if (text.length > longestText) throw badRequest(`${name} has ${longestText} characters at most`, name);
  return { [as]: text } as { readonly [name in As]?: string };
}

export function readState<State extends string>(
  query: URLSearchParams,
  states: readonly State[],
): { readonly state?: State } {
  const text = query.get('state');
  if (text === null) return {};
  const state = states.find((one) => one === text);
  if (state === undefined) throw badRequest(`state is one of: ${states.join(', ')}`, 'state');
  return { state };
}

/**
 * `from` and `to` as FHIR dates, dateTimes or instants (UTC where no zone is written). As in a FHIR Period, `to=2026-11-21`
 * includes that day; a `to` with a time is the moment before which.
 */
export function readSpan(query: URLSearchParams): { readonly from?: number; readonly to?: number } {
  const from = readTime(query, 'from');
  const to = readTime(query, 'to');
  const isDay = !(query.get('to') ?? '').includes('T');
  return {
    ...(from === undefined ? {} : { from: from.low }),
    ...(to === undefined ? {} : { to: isDay ? to.high : to.low }),
  };
}

function readTime(query: URLSearchParams, name: string): ReturnType<typeof instantRange> {
  const text = query.get(name);
  if (text === null) return undefined;
  const range = instantRange(text);
  if (range === undefined) {
    throw badRequest(`${name} is a date (2026-11-21) or an instant with its zone`, name);
  }
  return range;
}
