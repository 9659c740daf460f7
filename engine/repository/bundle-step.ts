// One entry of a transaction or batch, from request to done: which resource it is about is settled first, so that
// references can be rewritten before anything is written.
import { openEntryPatch, readOpenedPatch } from '../fhir/patch/patch.ts';
import type { FhirResource } from '../fhir/resource.ts';
import { badRequest } from '../kernel/outcomes.ts';
import { admit, admitId, admitType } from './admit.ts';
import type { Request } from './bundle-entries.ts';
import { maximumDeleted, permittedCascade, type DeleteChoice } from './cascade.ts';
import { deleteEach, idForUpdate } from './conditional.ts';
import { findAll, findOne } from './find-one.ts';
import { idForPatch, patch } from './patch.ts';
import { putVersion } from './put-version.ts';
import type { PreparedVersion } from './prepare-version.ts';
import type { Preconditions } from './preconditions.ts';
import type { Written } from './repository.ts';
import type { Target } from './request-url.ts';
import { update } from './update.ts';
import type { Parts, Work } from './work.ts';

interface Place {
  readonly place: number;
  readonly fullUrl: string | undefined;
}

export type WriteStep = Place & {
  readonly kind: 'create' | 'update' | 'patch';
  readonly type: string;
  readonly id: string;
  /** Of a patch: the patch, laid open. */
  readonly resource: FhirResource;
  readonly expected: Preconditions;
  /** Made ready before the transaction began. */
  readonly prepared?: PreparedVersion;
  /** Leads references of what a patch made to where this transaction has put things. */
  readonly relink?: (resource: FhirResource) => FhirResource;
};

export type Step =
  | WriteStep
  | (Place & {
      readonly kind: 'delete';
      readonly type: string;
      /** Several where criteria match several. */
      readonly ids: readonly string[];
      readonly expected: DeleteChoice;
    })
  /** What was to be created is there already, or what was to be deleted is not. */
  | (Place & { readonly kind: 'settled'; readonly written: Written | undefined })
  | (Place & { readonly kind: 'read'; readonly request: Request });

/** What an entry is about, where that does not depend on what is stored. Throws what `stepOf` throws. */
export function decidedStepOf(parts: Parts, request: Request): Step | undefined {
  const { method, target, ifNoneExist, place, fullUrl } = request;
  if (target.kind !== 'other') admitType(parts.index, target.type);
  if (method === 'GET' || method === 'HEAD') return { kind: 'read', place, fullUrl, request };
  if (method === 'POST' && ifNoneExist === undefined) return newStep(parts, request);
  if (target.kind !== 'instance') return undefined;
  if (method === 'PUT') return updateStep(parts, request, target.id);
  return method === 'PATCH' ? patchStep(request, target.id) : undefined;
}

/** Decides what an entry is about: conditions are asked, new ids given. */
export async function stepOf(work: Work, request: Request): Promise<Step> {
  admitType(work.parts.index, request.target.type);
  return plans[request.method](work, request);
}

type Plan = (work: Work, request: Request) => Promise<Step>;

const planRead: Plan = async (_work, request) => {
  const { place, fullUrl } = request;
  return { kind: 'read', place, fullUrl, request };
};

const plans: Readonly<Record<Request['method'], Plan>> = {
  GET: planRead,
  HEAD: planRead,
  POST: planCreate,
  PUT: planUpdate,
  PATCH: planPatch,
  DELETE: planDelete,
};

async function planCreate(work: Work, request: Request): Promise<Step> {
  const { place, fullUrl, ifNoneExist } = request;
  const step = newStep(work.parts, request);
  const found = ifNoneExist === undefined ? undefined : await findOne(work, step.type, ifNoneExist);
  return found ? { kind: 'settled', place, fullUrl, written: { stored: found, outcome: 'unchanged' } } : step;
}

function newStep(parts: Parts, request: Request): WriteStep {
  const { place, fullUrl, target } = request;
  if (target.kind !== 'type') throw badRequest('POST goes to the url of a type');
  const { type, resource } = admitted(parts, request);
  return { kind: 'create', place, fullUrl, type, id: parts.ids.next(), resource, expected: {} };
}

async function planUpdate(work: Work, request: Request): Promise<Step> {
  const { target } = request;
  const { resource } = admitted(work.parts, request);
  return updateStep(work.parts, request, await idToUpdate(work, target, resource));
}

function updateStep(parts: Parts, request: Request, id: string): WriteStep {
  const { place, fullUrl, target } = request;
  const { type, resource } = admitted(parts, request);
  if (target.kind === 'instance' && resource.id !== id) {
    throw badRequest('the id in the resource is not that of the url', `${target.type}.id`);
  }
  const expected = preconditionsOf(request);
  return { kind: 'update', place, fullUrl, type, id, resource: { ...resource, id }, expected };
}

const preconditionsOf = ({ ifMatch, ifNoneMatch }: Request): Preconditions => ({ ifMatch, ifNoneMatch });

async function idToUpdate(work: Work, target: Target, resource: FhirResource): Promise<string> {
  if (target.kind === 'matching') return idForUpdate(work, resource, target.query);
  if (target.kind !== 'instance') throw badRequest('PUT goes to the url of a resource, or to Type?criteria');
  return target.id;
}

async function planPatch(work: Work, request: Request): Promise<Step> {
  return patchStep(request, await idToPatch(work, request.target));
}

function patchStep(request: Request, id: string): WriteStep {
  const { place, fullUrl, target } = request;
  const resource = openEntryPatch(request.resource);
  const expected = preconditionsOf(request);
  return { kind: 'patch', place, fullUrl, type: target.type, id, resource, expected };
}

async function idToPatch(work: Work, target: Target): Promise<string> {
  if (target.kind === 'matching') return idForPatch(work, target.type, target.query);
  if (target.kind !== 'instance') {
    throw badRequest('PATCH goes to the url of a resource, or to Type?criteria');
  }
  return target.id;
}

const asItIs = (resource: FhirResource): FhirResource => resource;

async function patchEntry(work: Work, step: WriteStep): Promise<Written> {
  const { type, id, resource, expected, relink = asItIs } = step;
  const change = readOpenedPatch(resource, work.parts.shapes());
  return patch(work, type, id, (before) => relink(change(before)), expected);
}

async function planDelete(work: Work, request: Request): Promise<Step> {
  const { place, fullUrl, target } = request;
  const ids = await idsToDelete(work, request);
  if (ids.length === 0) return { kind: 'settled', place, fullUrl, written: undefined };
  const cascade = request.cascades ? permittedCascade(work.actor) : undefined;
  const expected = { ...preconditionsOf(request), cascade };
  return { kind: 'delete', place, fullUrl, type: target.type, ids, expected };
}

async function idsToDelete(work: Work, { target, ifMatch }: Request): Promise<readonly string[]> {
  if (target.kind === 'matching') {
    const matches = await findAll(work, target.type, target.query, maximumDeleted);
    return matches.map(({ id }) => id);
  }
  if (target.kind !== 'instance') {
    throw badRequest('DELETE goes to the url of a resource, or to Type?criteria');
  }
  admitId(target.id, 'Bundle.entry.request.url');
  // What never was there is gone as it should be; with If-Match the caller believes otherwise.
  const known = ifMatch !== undefined || (await work.resources.read(target.type, target.id)) !== undefined;
  return known ? [target.id] : [];
}

function admitted(
  parts: Parts,
  request: Request,
): { readonly type: string; readonly resource: FhirResource } {
  const { type, resource } = admit(parts.index, request.resource);
  if (type !== request.target.type) {
    throw badRequest('the resource is of another type than its url', 'Resource.resourceType');
  }
  return { type, resource };
}

/** Its id is new: nothing can be there. */
const putNew = (work: Work, { type, id, resource, prepared }: WriteStep): Promise<Written> =>
  putVersion(work, { type, id, method: 'POST', resource, prepared }, undefined);

/** Carries a writing step out. Empty: there was nothing to delete. */
export async function perform(
  work: Work,
  step: Exclude<Step, { kind: 'read' }>,
): Promise<readonly Written[]> {
  switch (step.kind) {
    case 'create':
      return [await putNew(work, step)];
    case 'update':
      return [await update(work, step.resource, step.expected, { prepared: step.prepared })];
    case 'patch':
      return [await patchEntry(work, step)];
    case 'delete':
      return deleteEach(work, step.type, step.ids, step.expected);
    case 'settled':
      return step.written ? [step.written] : [];
    default:
      return step satisfies never;
  }
}
