// Answers what a search needs to know before it can be planned: from the stored ValueSets, CodeSystems and hierarchies, and from those
// of R4 itself.
import { parseResource } from '../fhir/exact-json.ts';
import type { FhirResource } from '../fhir/resource.ts';
import { badRequest } from '../kernel/outcomes.ts';
import { Answers, type Question } from '../search/answers.ts';
import { readTerminology } from '../search/definitions/cache.ts';
import { maximumHierarchy } from '../search/parameters/reference.ts';
import { codeSystemContent, valueSetContent } from '../terminology/content.ts';
import { expand, sizeOf, subsumed, type Expansion } from '../terminology/expand.ts';
import type { TerminologySource } from '../terminology/terminology-source.ts';
import type { TerminologyDefinitions } from '../terminology/compile-definitions.ts';
import { remembered, type TerminologyMemory } from './terminology-memory.ts';
import type { Parts, Reading } from './work.ts';

/** As much of a repository as it takes to understand a search. */
export interface Asking {
  readonly parts: Pick<Parts, 'index' | 'base'>;
  readonly resources: Pick<Reading['resources'], 'read' | 'search'>;
  readonly terminology?: TerminologyMemory;
}

/** Reading again can ask something else only where a query nests; it never nests deeper than this. */
const maximumRounds = 3;

/**
 * Reads a query (`read`), looks up what it asks, and reads it again until nothing is open. Throws Refusal `bad-request` for what cannot
 * be looked up.
 */
export async function understand<T>(reading: Asking, read: (answers: Answers) => T): Promise<T> {
  const answers = new Answers();
  let understood = read(answers);
  for (let round = 0; answers.open.length > 0; round += 1) {
    if (answers.tooMany || round === maximumRounds) {
      throw badRequest('the search asks for too many value sets');
    }
    for (const question of answers.open) await answer(reading, question, answers);
    understood = read(answers);
  }
  return understood;
}

async function answer(reading: Asking, question: Question, answers: Answers): Promise<void> {
  const source = terminologyOf(reading);
  switch (question.kind) {
    case 'members':
      answers.giveCodes(question, await membersOf(reading, source, question.valueSet));
      break;
    case 'subsumed': {
      const { system, code, direction } = question;
      const codes = await subsumed(source, system, code, direction);
      answers.giveCodes(question, new Map([[system, codes]]));
      break;
    }
    case 'hierarchy':
      answers.giveIds(question, await hierarchyOf(reading, question));
      break;
  }
}

let definitions: TerminologyDefinitions | undefined;

/** R4's own, read when they are first asked for. */
const ownTerminology = (): TerminologyDefinitions => (definitions ??= readTerminology());

/** What is stored here comes before what R4 defines. */
export function terminologyOf(reading: Asking): TerminologySource {
  const own = <T>(of: Readonly<Record<string, T>>, url: string): T | undefined =>
    Object.hasOwn(of, url) ? of[url] : undefined;
  const content = <T>(
    type: 'CodeSystem' | 'ValueSet',
    canonical: string,
    contentOf: (resource: FhirResource) => T,
  ): Promise<T | undefined> =>
    remembered(reading, `${type} ${canonical}`, async () => {
      const stored = await byCanonical(reading, type, canonical);
      const value = stored === undefined ? undefined : contentOf(parseResource(stored));
      return { value, weight: stored?.length ?? 0 };
    });
  return {
    async codeSystem(canonical) {
      const stored = await content('CodeSystem', canonical, codeSystemContent);
      return stored ?? own(ownTerminology().codeSystems, urlOf(canonical));
    },
    async valueSet(canonical) {
      const stored = await content('ValueSet', canonical, valueSetContent);
      return stored ?? own(ownTerminology().valueSets, urlOf(canonical));
    },
  };
}

/** Characters that a code takes, in the measure of what is remembered. */
const codeWeight = 100;

const membersOf = (reading: Asking, source: TerminologySource, valueSet: string): Promise<Expansion> =>
  remembered(reading, `members ${valueSet}`, async () => {
    const value = await expand(source, valueSet);
    return { value, weight: sizeOf(value) * codeWeight };
  });

const urlOf = (canonical: string): string => canonical.split('|', 1)[0] ?? canonical;

/** The text of it, by its URL (the newest where several share it), or as `ValueSet/1`. */
async function byCanonical(
  { parts, resources }: Asking,
  type: 'CodeSystem' | 'ValueSet',
  canonical: string,
): Promise<string | undefined> {
  const [url = '', version] = canonical.split('|');
  const query = new URLSearchParams(
    canonical.startsWith(`${type}/`)
      ? { _id: canonical.slice(type.length + 1) }
      : { url: inValue(url), ...(version === undefined ? {} : { version: inValue(version) }) },
  );
  query.set('_sort', '-_lastUpdated');
  const limits = { lenient: false, base: parts.base(), defaultCount: 1, maximumCount: 1 };
  const { plan } = parts.index.request(type, query.toString(), limits);
  const { matches } = await resources.search(plan);
  return matches[0]?.body;
}

const inValue = (text: string): string => text.replaceAll(/[\\,|$]/g, '\\$&');

type TreeQuestion = Extract<Question, { readonly kind: 'hierarchy' }>;

const hierarchyOf = (reading: Asking, question: TreeQuestion): Promise<readonly string[]> =>
  question.direction === 'below' ? idsBelow(reading, question) : idsAbove(reading, question);

/** How often it goes a level further. A circle ends where it began. */
const maximumLevels = 50;

async function idsBelow({ parts, resources }: Asking, question: TreeQuestion): Promise<readonly string[]> {
  const { type, parameter, id } = question;
  const found = new Set([id]);
  let level: readonly string[] = [id];
  for (let deep = 0; level.length > 0 && deep < maximumLevels; deep += 1) {
    const asked = `${parameter}=${level.map((one) => `${type}/${one}`).join(',')}`;
    const limits = {
      lenient: false,
      base: parts.base(),
      defaultCount: maximumHierarchy,
      maximumCount: maximumHierarchy,
    };
    const { plan } = parts.index.request(type, asked, limits);
    const { matches, next } = await resources.search(plan);
    level = matches.map((match) => match.id).filter((one) => !found.has(one));
    for (const one of level) found.add(one);
    if (found.size > maximumHierarchy || next !== undefined) throw tooMany(question);
  }
  return [...found];
}

async function idsAbove({ parts, resources }: Asking, question: TreeQuestion): Promise<readonly string[]> {
  const { type, parameter } = question;
  const found = new Set([question.id]);
  for (const id of found) {
    if (found.size > maximumHierarchy) throw tooMany(question);
    const body = (await resources.read(type, id))?.body;
    const parents = body === undefined ? [] : parts.index.referencesOf(parseResource(body), parameter, type);
    for (const parent of parents) found.add(parent.slice(type.length + 1));
  }
  return [...found];
}

const tooMany = ({ type, direction }: TreeQuestion): Error =>
  badRequest(`more than ${maximumHierarchy} ${type} resources are ${direction} that one`);
