// From a url under the FHIR base to the interaction that answers it. Each path is looked up once, by its segments; the most literal
// pattern that fits has the request, so that a method that it does not offer is 405 and never taken for something else.
import { badRequest } from '../kernel/outcomes.ts';
import type { Endpoint } from './endpoint.ts';
import { methodNotAllowed, nothingHere } from './fallback.ts';
import { fhirPath, type Interaction } from './interaction.ts';

export interface Routed<T = Endpoint> {
  readonly endpoint: T;
  readonly params: Readonly<Record<string, string>>;
}

/** Where a url leads that is no interaction's. */
interface Otherwise<T> {
  readonly nothingHere: T;
  readonly unreadable: T;
  readonly notAllowed: (methods: readonly string[]) => T;
}

interface Row<T> {
  readonly segments: readonly string[];
  readonly byMethod: ReadonlyMap<string, T>;
  readonly otherwise: T;
}

/** Answers undefined for what does not lie under the FHIR base. `endpointOf` is asked once for each interaction. */
export const createFhirRouter = (
  interactions: readonly Interaction[],
  endpointOf: (interaction: Interaction) => Endpoint,
): ((method: string, url: string) => Routed | undefined) =>
  createRouter(interactions, endpointOf, { nothingHere, unreadable, notAllowed: methodNotAllowed });

/** The same for whatever is made of an interaction. */
export function createRouter<T>(
  interactions: readonly Interaction[],
  endpointOf: (interaction: Interaction) => T,
  otherwise: Otherwise<T>,
): (method: string, url: string) => Routed<T> | undefined {
  const rows = rowsByLength(interactions, endpointOf, otherwise);
  return (method, url) => {
    const written = segmentsOf(url);
    if (!written) return undefined;
    const segments = written.some((segment) => segment.includes('%')) ? decoded(written) : written;
    if (!segments) return { endpoint: otherwise.unreadable, params: {} };
    for (const row of rows.get(segments.length) ?? []) {
      if (fits(row, segments)) return routed(row, method, segments);
    }
    return { endpoint: otherwise.nothingHere, params: {} };
  };
}

/** The most literal first: `/metadata` before `/:type`. */
function rowsByLength<T>(
  interactions: readonly Interaction[],
  endpointOf: (interaction: Interaction) => T,
  { notAllowed }: Otherwise<T>,
): ReadonlyMap<number, readonly Row<T>[]> {
  const rows = [...Map.groupBy(interactions, ({ path }) => path)].map(([path, offered]): Row<T> => {
    const byMethod = new Map(offered.map((one) => [one.method as string, endpointOf(one)]));
    const otherwise = notAllowed([...byMethod.keys()]);
    const read = byMethod.get('GET');
    if (read) byMethod.set('HEAD', read);
    return { segments: path === '/' ? [] : path.slice(1).split('/'), byMethod, otherwise };
  });
  rows.sort((a, b) => named(a) - named(b));
  return Map.groupBy(rows, ({ segments }) => segments.length);
}

const isNamed = (segment: string): boolean => segment.startsWith(':');

const named = ({ segments }: Row<unknown>): number => segments.filter(isNamed).length;

/** What comes after the base; a slash at the end means nothing. */
function segmentsOf(url: string): readonly string[] | undefined {
  if (!url.startsWith(fhirPath)) return undefined;
  const mark = url.indexOf('?');
  let end = mark < 0 ? url.length : mark;
  if (end > fhirPath.length && url.charCodeAt(end - 1) === 0x2f) end -= 1;
  if (end === fhirPath.length) return [];
  return url.charCodeAt(fhirPath.length) === 0x2f
    ? url.slice(fhirPath.length + 1, end).split('/')
    : undefined;
}

function fits({ segments: pattern }: Row<unknown>, segments: readonly string[]): boolean {
  for (let place = 0; place < pattern.length; place += 1) {
    const wanted = pattern[place] ?? '';
    const segment = segments[place] ?? '';
    if (isNamed(wanted) ? segment === '' : segment !== wanted) return false;
  }
  return true;
}

function routed<T>(row: Row<T>, method: string, segments: readonly string[]): Routed<T> {
  const params: Record<string, string> = {};
  for (let place = 0; place < row.segments.length; place += 1) {
    const name = row.segments[place] ?? '';
    if (isNamed(name)) params[name.slice(1)] = segments[place] ?? '';
  }
  return { endpoint: row.byMethod.get(method) ?? row.otherwise, params };
}

/** undefined for what is not percent-encoded as it should be. */
function decoded(segments: readonly string[]): readonly string[] | undefined {
  try {
    return segments.map((segment) => decodeURIComponent(segment));
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

const unreadable: Endpoint = {
  name: 'unreadable',
  access: 'signed-in',
  answer: () => Promise.reject(badRequest('the url is not percent-encoded as it should be')),
};
