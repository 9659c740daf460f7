// What a search brings along: https://hl7.org/fhir/R4/search.html#include, #revinclude and :iterate.
import { parseResource } from '../fhir/exact-json.ts';
import { badRequest } from '../kernel/outcomes.ts';
import type { Condition } from '../search/plan.ts';
import type { Include } from '../search/search-index.ts';
import type { StoredVersion } from '../storage/resource-store.ts';
import { allMatches } from './all-matches.ts';
import { createBreath } from './breath.ts';
import { includedByCanonical } from './include-canonical.ts';
import type { Reading } from './work.ts';

/** More than this is refused, never cut off unsaid. */
const maximumIncluded = 5000;
/** How often :iterate goes on from what it found; further is refused too. */
const maximumRounds = 20;
/** References asked for in one search of a _revinclude. */
const targetsPerSearch = 50;

/** The resources to go with the matches, each once, none of them a match. */
export async function includedWith(
  reading: Reading,
  matches: readonly StoredVersion[],
  includes: readonly Include[],
): Promise<readonly StoredVersion[]> {
  if (includes.length === 0) return [];
  const seen = new Set(matches.map(nameOf));
  const included: StoredVersion[] = [];
  let from = matches;
  const iterated = includes.filter((include) => include.iterate);
  for (let round = 0; from.length > 0; round++) {
    const asked = round === 0 ? includes : iterated;
    if (round > maximumRounds) throw badRequest(`:iterate would go further than ${maximumRounds} times`);
    from = await oneRound(reading, from, asked, seen);
    included.push(...from);
    if (included.length > maximumIncluded) {
      throw badRequest(`more than ${maximumIncluded} resources would be included; ask with a smaller _count`);
    }
  }
  return included;
}

async function oneRound(
  reading: Reading,
  from: readonly StoredVersion[],
  includes: readonly Include[],
  seen: Set<string>,
): Promise<readonly StoredVersion[]> {
  const found: StoredVersion[] = [];
  for await (const version of reached(reading, from, includes, seen)) {
    if (version.body === undefined || seen.has(nameOf(version))) continue;
    seen.add(nameOf(version));
    found.push(version);
    if (found.length > maximumIncluded) return found;
  }
  return found;
}

async function* reached(
  reading: Reading,
  from: readonly StoredVersion[],
  includes: readonly Include[],
  seen: ReadonlySet<string>,
): AsyncGenerator<StoredVersion> {
  const { include = [], revinclude = [] } = Object.groupBy(includes, ({ kind }) => kind);
  if (include.length > 0) yield* pointedAt(reading, from, include, seen);
  for (const one of revinclude) yield* pointingAt(reading, from, one);
  for (const one of includes) yield* includedByCanonical(reading, from, one);
}

async function* pointedAt(
  reading: Reading,
  from: readonly StoredVersion[],
  includes: readonly Include[],
  seen: ReadonlySet<string>,
): AsyncGenerator<StoredVersion> {
  const breathe = createBreath();
  for (const version of from) {
    await breathe();
    for (const reference of referencesIn(reading, version, includes)) {
      if (seen.has(reference)) continue;
      const [type = '', id = ''] = reference.split('/');
      const target = await reading.resources.read(type, id);
      if (target) yield target;
    }
  }
}

/** The resource is read once, whatever is asked of it. */
function referencesIn(
  { parts: { index } }: Reading,
  { type, body }: StoredVersion,
  includes: readonly Include[],
): ReadonlySet<string> {
  const asked = includes.filter(({ source }) => source === '*' || source === type);
  if (asked.length === 0 || body === undefined) return new Set();
  const resource = parseResource(body);
  return new Set(asked.flatMap(({ parameter, target }) => index.referencesOf(resource, parameter, target)));
}

async function* pointingAt(
  reading: Reading,
  from: readonly StoredVersion[],
  include: Include,
): AsyncGenerator<StoredVersion> {
  if (include.source === '*') {
    yield* anyPointingAt(reading, from);
    return;
  }
  const targets = from.filter(({ type }) => include.target === undefined || type === include.target);
  const breathe = createBreath();
  for (const parameter of referenceParameters(reading, include)) {
    for (let start = 0; start < targets.length; start += targetsPerSearch) {
      await breathe();
      const names = targets.slice(start, start + targetsPerSearch).map(nameOf);
      yield* allMatches(
        reading,
        include.source,
        conditionOf(reading, include.source, `${parameter}=${names.join(',')}`),
      );
    }
  }
}

/** Whatever refers to one of these, by a search parameter or not. */
async function* anyPointingAt(
  reading: Reading,
  from: readonly StoredVersion[],
): AsyncGenerator<StoredVersion> {
  const breathe = createBreath();
  for (const { type, id } of from) {
    await breathe();
    const limit = maximumIncluded + 1;
    for (const name of await reading.resources.referrers({ type, id }, { exceptTypes: [], limit })) {
      const version = await reading.resources.read(name.type, name.id);
      if (version) yield version;
    }
  }
}

function referenceParameters(reading: Reading, include: Include): readonly string[] {
  if (include.parameter !== '*') return [include.parameter];
  const parameters = reading.parts.index.parameters(include.source);
  return parameters.filter(({ type }) => type === 'reference').map(({ code }) => code);
}

function conditionOf({ parts }: Reading, type: string, query: string): Condition {
  const limits = { lenient: false, base: parts.base(), defaultCount: 1, maximumCount: 1 };
  return parts.index.request(type, query, limits).plan.where;
}

const nameOf = (version: StoredVersion): string => `${version.type}/${version.id}`;
