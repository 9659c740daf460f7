// https://hl7.org/fhir/R4/patient-operation-everything.html and encounter-operation-everything.html: the members of a compartment, then
// what they refer to, each once.
import { careDate } from '../fhir/care-dates.ts';
import { memberTypes, membershipOf } from '../fhir/compartments.ts';
import { badRequest } from '../kernel/outcomes.ts';
import { allOf, anyOf } from '../search/condition.ts';
import type { Condition, Plan } from '../search/plan.ts';
import type { SearchPage, StoredVersion } from '../storage/resource-store.ts';
import { createBreath } from './breath.ts';
import { conditionOf, inCompartment } from './compartment.ts';
import { followed, type Following } from './everything-references.ts';
import { read } from './read.ts';
import type { Everything, EverythingItem, EverythingPage } from './repository.ts';
import type { Reading } from './work.ts';

/** Large bodies make a page end early. */
const storePage = 1000;

/** All of it, as it is read. Throws Refusal `not-found` or `gone` before the first where there is no such resource. */
export async function* everything(reading: Reading, asked: Everything): AsyncGenerator<EverythingItem> {
  await refuseAbsent(reading, asked);
  const following = followed(reading, asked.type);
  const narrowed = asked.types !== undefined || asked.since !== undefined;
  for await (const version of members(reading, asked)) {
    yield { version, mode: 'match' };
    if (!narrowed) following.from(version);
  }
  if (narrowed) await followAll(reading, asked, following);
  for await (const version of following.targets()) {
    if (isWanted(asked, version)) yield { version, mode: 'include' };
  }
}

/** One page: first of the members, by their place in the store; then of what they refer to, by its name. */
export async function everythingPage(
  reading: Reading,
  asked: Everything,
  count: number,
  after: string | undefined,
): Promise<EverythingPage> {
  await refuseAbsent(reading, asked);
  if (after?.startsWith('-')) return targetsPage(reading, asked, count, after.slice(1));
  const { matches, next } = await memberPage(reading, asked, count, after);
  const items = matches.map((version): EverythingItem => ({ version, mode: 'match' }));
  if (next !== undefined) return { items, next };
  const targets = await targetsPage(reading, asked, count - items.length, '');
  return { items: [...items, ...targets.items], next: targets.next };
}

async function targetsPage(
  reading: Reading,
  asked: Everything,
  count: number,
  after: string,
): Promise<EverythingPage> {
  const following = followed(reading, asked.type);
  await followAll(reading, asked, following);
  const names: string[] = [];
  for await (const version of following.targets()) {
    const name = `${version.type}/${version.id}`;
    if (name > after && isWanted(asked, version)) names.push(name);
  }
  const page = names.toSorted().slice(0, count);
  const items: EverythingItem[] = [];
  for (const name of page) {
    const [type = '', id = ''] = name.split('/');
    const version = await reading.resources.read(type, id);
    if (version?.body !== undefined) items.push({ version, mode: 'include' });
  }
  return { items, next: names.length > page.length ? `-${page.at(-1) ?? after}` : undefined };
}

async function refuseAbsent(reading: Reading, { type, id }: Everything): Promise<void> {
  if (id !== undefined) await read(reading, type, id);
}

/** Follows the references of every member, also of those that are not wanted themselves. */
async function followAll(reading: Reading, asked: Everything, following: Following): Promise<void> {
  const all = { ...asked, types: undefined, since: undefined };
  for await (const version of members(reading, all)) following.from(version);
}

const isWanted = ({ types, since, mayRead }: Everything, { type, lastUpdated }: StoredVersion): boolean =>
  mayRead(type) && (types === undefined || types.includes(type)) && lastUpdated >= (since ?? 0);

/** Type by type in the order of the store, which asks no sorting of it however large the record is. */
async function* members(reading: Reading, asked: Everything): AsyncGenerator<StoredVersion> {
  const breathe = createBreath();
  for (const type of typesOf(asked)) {
    let after: string | undefined;
    do {
      const page = await ofType(reading, asked, type, { count: storePage, after });
      for (const version of page.matches) {
        yield version;
        await breathe();
      }
      after = page.next;
    } while (after !== undefined);
  }
}

const typesOf = ({ type, types, mayRead }: Everything): readonly string[] =>
  memberTypes(type).filter((one) => mayRead(one) && (types === undefined || types.includes(one)));

interface MemberPage {
  readonly matches: readonly StoredVersion[];
  readonly next: string | undefined;
}

/** Type by type too: however large the record is, a page of it costs the same. Its place is a type, and a place in that. */
async function memberPage(
  reading: Reading,
  asked: Everything,
  count: number,
  after: string | undefined,
): Promise<MemberPage> {
  const [first, place] = after?.split('.', 2) ?? [];
  const types = typesFrom(asked, first);
  const matches: StoredVersion[] = [];
  for (const type of types) {
    const isFull = matches.length === count;
    const from = type === first && place !== '' ? place : undefined;
    const page = await ofType(reading, asked, type, {
      count: isFull ? 1 : count - matches.length,
      after: from,
    });
    if (isFull && page.matches.length > 0) return { matches, next: `${type}.` };
    if (isFull) continue;
    matches.push(...page.matches);
    if (page.next !== undefined) return { matches, next: `${type}.${page.next}` };
  }
  return { matches, next: undefined };
}

function typesFrom(asked: Everything, first: string | undefined): readonly string[] {
  const types = typesOf(asked);
  if (first === undefined) return types;
  if (!types.includes(first)) throw badRequest('the page link is not one of this: begin at the first page');
  return types.slice(types.indexOf(first));
}

function ofType(
  reading: Reading,
  asked: Everything,
  type: string,
  { count, after }: Pick<Plan, 'count' | 'after'>,
): Promise<SearchPage> {
  const where = memberCondition(reading, asked, type);
  return reading.resources.search({ type, where, order: [], count, after, total: 'none' });
}

function memberCondition({ parts }: Reading, asked: Everything, type: string): Condition {
  const { id, since } = asked;
  const belongs =
    id === undefined
      ? inAnyCompartment(parts, asked, type)
      : inCompartment(parts, { type: asked.type, id }, type);
  const updated: Condition =
    since === undefined
      ? { op: 'every' }
      : { op: 'leaf', leaf: { kind: 'lastUpdated', comparator: 'ge', low: since, high: since + 1 } };
  return allOf([belongs, updated, caredWithin(parts, asked, type)]);
}

function inAnyCompartment(parts: Reading['parts'], { type }: Everything, member: string): Condition {
  if (member === type) return { op: 'every' };
  const codes = membershipOf(type, member) ?? [];
  return anyOf(codes.map((code) => pointingAtAny(conditionOf(parts, member, `${code}=${type}/any`), type)));
}

/** The same references, to any resource of the type. */
function pointingAtAny(condition: Condition, target: string): Condition {
  if (condition.op === 'leaf' && condition.leaf.kind === 'reference') {
    return { op: 'points-at', parameter: condition.leaf.parameter, target, where: { op: 'every' } };
  }
  if (condition.op !== 'or') throw new Error('a reference parameter makes references, or a choice of them');
  return anyOf(condition.of.map((one) => pointingAtAny(one, target)));
}

function caredWithin(parts: Reading['parts'], { start, end }: Everything, type: string): Condition {
  const code = careDate(type);
  if (code === undefined) return { op: 'every' };
  const bounds = [start && `${code}=ge${start}`, end && `${code}=le${end}`].filter(
    (bound) => bound !== undefined,
  );
  return bounds.length === 0 ? { op: 'every' } : conditionOf(parts, type, bounds.join('&'));
}
