// What of a transaction does not depend on what is stored: decided and made ready before it begins, in slices between which others have
// their turn. The transaction itself holds up all other writes, so it should have little left to do but to write.
import type { Bundle } from '@medplum/fhirtypes';
import type { FhirResource } from '../fhir/resource.ts';
import { badRequest } from '../kernel/outcomes.ts';
import { createBreath } from './breath.ts';
import { entriesOf, namedAsync, requestOf, type Request } from './bundle-entries.ts';
import { decidedStepOf, type Step, type WriteStep } from './bundle-step.ts';
import type { Waiting } from './conditional-references.ts';
import { normalCriteria } from './find-one.ts';
import { prepareVersion } from './prepare-version.ts';
import {
  conditionalReferences,
  notingConditionals,
  rewriteTexts,
  toIdentities,
  type Identities,
} from './rewrite-references.ts';
import type { Parts } from './work.ts';

export interface PreparedEntry {
  readonly request: Request;
  /** undefined: what is stored decides. */
  readonly step: Step | undefined;
  /** The step with its references led to where the resources are going to be; undefined: that is not known yet. */
  readonly linked?: Waiting | undefined;
}

export interface PreparedTransaction {
  readonly entries: readonly PreparedEntry[];
  /** Where the entries go; undefined where what is stored decides it for some. */
  readonly identities: Identities | undefined;
}

/** Throws Refusal for the first entry that cannot be. */
export async function prepareTransaction(parts: Parts, bundle: Bundle): Promise<PreparedTransaction> {
  const breathe = createBreath();
  const entries = await decided(parts, bundle, breathe);
  const identities = identitiesOf(entries.flatMap(({ step }) => step ?? []));
  const undecided = new Set(
    entries.flatMap(({ request, step }) => (step === undefined ? (request.fullUrl ?? []) : [])),
  );
  const prepared: PreparedEntry[] = [];
  for (const entry of entries) {
    await breathe();
    const { step } = entry;
    const isWrite = step?.kind === 'create' || step?.kind === 'update' || step?.kind === 'patch';
    prepared.push(isWrite ? { ...entry, linked: linkedAhead(parts, step, identities, undecided) } : entry);
  }
  return { entries: prepared, identities: isDecided(entries) ? identities : undefined };
}

const isDecided = (entries: readonly PreparedEntry[]): boolean =>
  entries.every(({ step }) => step !== undefined);

async function decided(
  parts: Parts,
  bundle: Bundle,
  breathe: () => Promise<void>,
): Promise<readonly PreparedEntry[]> {
  const found: PreparedEntry[] = [];
  const conditions = new Set<string>();
  const targets = new Set<string>();
  const base = parts.base();
  for (const [place, entry] of entriesOf(bundle).entries()) {
    await breathe();
    const request = requestOf(entry, place, base);
    await namedAsync(place, async () => {
      refuseSameTarget(request, targets);
      refuseSameCondition(parts, request, conditions);
      found.push({ request, step: decidedStepOf(parts, request) });
    });
  }
  return found;
}

/** Also where nothing is there yet: a deletion and an update of it would depend on their order. */
function refuseSameTarget({ method, target, place }: Request, targets: Set<string>): void {
  if (method === 'GET' || method === 'HEAD' || target.kind !== 'instance') return;
  addOnce(targets, `${target.type}/${target.id}`, place);
}

/** Both would find nothing, and two would be made of what was to be one. */
function refuseSameCondition(parts: Parts, request: Request, conditions: Set<string>): void {
  const criteria = conditionOf(request);
  if (criteria === undefined) return;
  const condition = normalCriteria(parts, request.target.type, criteria);
  if (conditions.has(condition)) throw badRequest('another entry has the same condition');
  conditions.add(condition);
}

/** The criteria on which something may be created. */
function conditionOf({ method, target, ifNoneExist }: Request): string | undefined {
  if (method === 'POST') return ifNoneExist;
  return method === 'PUT' && target.kind === 'matching' ? target.query : undefined;
}

/** fullUrl → `Type/id`. Throws Refusal `bad-request` where two entries are about one resource or have one fullUrl. */
export function identitiesOf(steps: readonly Step[]): ReadonlyMap<string, string> {
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

function addOnce(names: Set<string>, name: string, place: number): void {
  if (names.has(name)) {
    throw badRequest('two entries change the same resource', `Bundle.entry[${place}]`);
  }
  names.add(name);
}

/** `Type/id` of what a step is about. */
export function namesOf(step: Step): readonly string[] {
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

/** undefined where the step refers to an entry of which it is not decided where it goes. */
function linkedAhead(
  parts: Parts,
  step: WriteStep,
  identities: Identities,
  undecided: ReadonlySet<string>,
): Waiting | undefined {
  // What a patch will refer to shows when it is carried out.
  if (step.kind === 'patch' && undecided.size > 0) return undefined;
  const open = new Set<string>();
  const lookup: Identities = {
    get: (fullUrl) => {
      if (undecided.has(fullUrl)) open.add(fullUrl);
      return identities.get(fullUrl);
    },
  };
  const waiting = linked(step, lookup);
  if (open.size > 0) return undefined;
  if (step.kind === 'patch' || waiting.conditionals.size > 0) return waiting;
  const prepared = prepareVersion(parts.index, waiting.step.resource, step.id);
  return { ...waiting, step: { ...waiting.step, prepared } };
}

/** The step with its references led to where the entries of its transaction go. */
export function linked(step: WriteStep, identities: Identities): Waiting {
  const relinked = toIdentities(identities, step.fullUrl);
  const conditionals = new Set<string>();
  const resource = rewriteTexts(step.resource, notingConditionals(relinked, conditionals));
  if (step.kind !== 'patch') return { step: { ...step, resource }, conditionals };
  const relink = (made: FhirResource): FhirResource => resolved(rewriteTexts(made, relinked));
  return { step: { ...step, resource, relink }, conditionals };
}

/** Of a patch those are resolved that stand in it as a Reference, not those that it puts together. */
function resolved(patched: FhirResource): FhirResource {
  if (conditionalReferences(patched).size === 0) return patched;
  throw badRequest('a patch gives a conditional reference as a whole Reference');
}
