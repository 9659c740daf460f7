// https://hl7.org/fhir/R4/http.html#transaction: all or nothing, in the order that the rules give, whatever the order of the entries.
import type { Bundle, BundleEntry } from '@medplum/fhirtypes';
import type { FhirResource } from '../fhir/resource.ts';
import { badRequest } from '../kernel/outcomes.ts';
import { entriesOf, namedAsync, requestOf, type Request } from './bundle-entries.ts';
import { createBreath } from './breath.ts';
import { perform, stepOf, type Step, type WriteStep } from './bundle-step.ts';
import { answerRead, answerWritten } from './bundle-response.ts';
import { normalCriteria } from './find-one.ts';
import { resolveConditionals, type Waiting } from './conditional-references.ts';
import { conditionalReferences, rewriteTexts, toIdentities } from './rewrite-references.ts';
import type { Work } from './work.ts';

/** Answers the response Bundle, entry for entry. Throws the first Refusal, which names its entry. */
export async function applyTransaction(work: Work, bundle: Bundle): Promise<Bundle> {
  const steps = await planned(work, bundle);
  const identities = identitiesOf(steps);
  work.integrity.noteEntries(placesOf(steps));
  const responses = new Map<number, BundleEntry>();
  await settle(work, steps, responses);
  await write(work, steps, identities, responses);
  await answerReads(work, steps, responses);
  const entry = steps.map(({ place }) => responses.get(place) ?? {});
  return { resourceType: 'Bundle', type: 'transaction-response', ...(entry.length === 0 ? {} : { entry }) };
}

async function planned(work: Work, bundle: Bundle): Promise<readonly Step[]> {
  const steps: Step[] = [];
  const conditions = new Set<string>();
  const breathe = createBreath();
  const base = work.parts.base();
  for (const [place, entry] of entriesOf(bundle).entries()) {
    await breathe();
    const request = requestOf(entry, place, base);
    await namedAsync(place, async () => {
      refuseSameCondition(work, request, conditions);
      steps.push(await stepOf(work, request));
    });
  }
  return steps;
}

/** Both would find nothing, and two would be made of what was to be one. */
function refuseSameCondition(work: Work, request: Request, conditions: Set<string>): void {
  const criteria = conditionOf(request);
  if (criteria === undefined) return;
  const condition = normalCriteria(work, request.target.type, criteria);
  if (conditions.has(condition)) throw badRequest('another entry has the same condition');
  conditions.add(condition);
}

/** The criteria on which something may be created. */
function conditionOf({ method, target, ifNoneExist }: Request): string | undefined {
  if (method === 'POST') return ifNoneExist;
  return method === 'PUT' && target.kind === 'matching' ? target.query : undefined;
}

/** fullUrl → `Type/id`. Throws Refusal `bad-request` where two entries are about one resource or have one fullUrl. */
function identitiesOf(steps: readonly Step[]): ReadonlyMap<string, string> {
  const identities = new Map<string, string>();
  const changed = new Set<string>();
  for (const step of steps) {
    const names = namesOf(step);
    if (step.kind !== 'settled') for (const name of names) addOnce(changed, name, step.place);
    const [name] = names;
    if (name === undefined || step.fullUrl === undefined || step.kind === 'delete') continue;
    if (identities.has(step.fullUrl)) {
      throw badRequest('two entries have the same fullUrl', `Bundle.entry[${step.place}].fullUrl`);
    }
    identities.set(step.fullUrl, name);
  }
  return identities;
}

/** `Type/id` → the place of the entry that writes it. */
const placesOf = (steps: readonly Step[]): ReadonlyMap<string, number> =>
  new Map(steps.flatMap((step) => namesOf(step).map((name) => [name, step.place] as const)));

function addOnce(names: Set<string>, name: string, place: number): void {
  if (names.has(name)) {
    throw badRequest('two entries change the same resource', `Bundle.entry[${place}]`);
  }
  names.add(name);
}

/** `Type/id` of what a step is about. */
function namesOf(step: Step): readonly string[] {
  switch (step.kind) {
    case 'read':
      return [];
    case 'delete':
      return step.ids.map((id) => `${step.type}/${id}`);
    case 'settled':
      return step.written ? [`${step.written.stored.type}/${step.written.stored.id}`] : [];
    case 'create':
    case 'update':
    case 'patch':
      return [`${step.type}/${step.id}`];
  }
}

/** Deletions come first; what is settled already needs only its answer. */
async function settle(
  work: Work,
  steps: readonly Step[],
  responses: Map<number, BundleEntry>,
): Promise<void> {
  const breathe = createBreath();
  for (const step of steps) {
    if (step.kind !== 'delete' && step.kind !== 'settled') continue;
    await breathe();
    await namedAsync(step.place, async () =>
      responses.set(step.place, answerWritten(await perform(work, step))),
    );
  }
}

/** In this order. */
const writing: readonly (readonly Step['kind'][])[] = [['create'], ['update', 'patch']];

async function write(
  work: Work,
  steps: readonly Step[],
  identities: ReadonlyMap<string, string>,
  responses: Map<number, BundleEntry>,
): Promise<void> {
  const ordered = writing.flatMap((kinds) =>
    steps.filter((step): step is WriteStep => kinds.includes(step.kind)),
  );
  const breathe = createBreath();
  const waiting: Waiting[] = [];
  for (const step of ordered) {
    await breathe();
    waiting.push(linked(step, identities));
  }
  for await (const step of resolveConditionals(work, waiting)) {
    await breathe();
    await namedAsync(step.place, async () =>
      responses.set(step.place, answerWritten(await perform(work, step))),
    );
  }
}

function linked(step: WriteStep, identities: ReadonlyMap<string, string>): Waiting {
  const relink = (one: FhirResource): FhirResource =>
    rewriteTexts(one, toIdentities(identities, step.fullUrl));
  const resource = relink(step.resource);
  const conditionals = conditionalReferences(resource);
  if (step.kind !== 'patch') return { step: { ...step, resource }, conditionals };
  return { step: { ...step, resource, relink: (made) => resolved(relink(made)) }, conditionals };
}

/** Of a patch those are resolved that stand in it as a Reference, not those that it puts together. */
function resolved(patched: FhirResource): FhirResource {
  if (conditionalReferences(patched).size === 0) return patched;
  throw badRequest('a patch gives a conditional reference as a whole Reference');
}

async function answerReads(
  work: Work,
  steps: readonly Step[],
  responses: Map<number, BundleEntry>,
): Promise<void> {
  const breathe = createBreath();
  for (const step of steps) {
    if (step.kind !== 'read') continue;
    await breathe();
    await namedAsync(step.place, async () => responses.set(step.place, await answerRead(work, step.request)));
  }
}
