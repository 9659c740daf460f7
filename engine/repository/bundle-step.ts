// One entry of a transaction or batch, from request to done: which resource it is about is settled first, so that
// references can be rewritten before anything is written.
import type { FhirResource } from '../fhir/resource.ts';
import { badRequest } from '../kernel/outcomes.ts';
import { admit, admitId, admitType } from './admit.ts';
import type { Request } from './bundle-entries.ts';
import { idForUpdate } from './conditional.ts';
import { create } from './create.ts';
import { remove } from './delete.ts';
import { findOne } from './find-one.ts';
import type { Written } from './repository.ts';
import type { Target } from './request-url.ts';
import { update } from './update.ts';
import type { Work } from './work.ts';

interface Place {
  readonly place: number;
  readonly fullUrl: string | undefined;
}

export type WriteStep = Place & {
  readonly kind: 'create' | 'update';
  readonly type: string;
  readonly id: string;
  readonly resource: FhirResource;
  readonly ifMatch: string | undefined;
};

export type Step =
  | WriteStep
  | (Place & {
      readonly kind: 'delete';
      readonly type: string;
      readonly id: string;
      readonly ifMatch: string | undefined;
    })
  /** What was to be created is there already, or what was to be deleted is not. */
  | (Place & { readonly kind: 'settled'; readonly written: Written | undefined })
  | (Place & { readonly kind: 'read'; readonly target: Target });

/** Decides what an entry is about: conditions are asked, new ids given. */
export async function stepOf(work: Work, request: Request): Promise<Step> {
  admitType(work.parts.index, request.target.type);
  return plans[request.method](work, request);
}

type Plan = (work: Work, request: Request) => Promise<Step>;

const plans: Readonly<Record<Request['method'], Plan>> = {
  GET: async (_work, { place, fullUrl, target }) => ({ kind: 'read', place, fullUrl, target }),
  POST: planCreate,
  PUT: planUpdate,
  DELETE: planDelete,
};

async function planCreate(work: Work, request: Request): Promise<Step> {
  const { place, fullUrl, target, ifNoneExist } = request;
  if (target.kind !== 'type') throw badRequest('POST goes to the url of a type');
  const { type, resource } = admitted(work, request);
  const found = ifNoneExist === undefined ? undefined : await findOne(work, type, ifNoneExist);
  if (found) return { kind: 'settled', place, fullUrl, written: { stored: found, outcome: 'unchanged' } };
  return { kind: 'create', place, fullUrl, type, id: work.parts.ids.next(), resource, ifMatch: undefined };
}

async function planUpdate(work: Work, request: Request): Promise<Step> {
  const { place, fullUrl, target, ifMatch } = request;
  const { type, resource } = admitted(work, request);
  const id = await idToUpdate(work, target, resource);
  return { kind: 'update', place, fullUrl, type, id, resource: { ...resource, id }, ifMatch };
}

async function idToUpdate(work: Work, target: Target, resource: FhirResource): Promise<string> {
  if (target.kind === 'matching') return idForUpdate(work, resource, target.query);
  if (target.kind !== 'instance') throw badRequest('PUT goes to the url of a resource, or to Type?criteria');
  if (resource.id !== target.id) {
    throw badRequest('the id in the resource is not that of the url', `${target.type}.id`);
  }
  return target.id;
}

async function planDelete(work: Work, request: Request): Promise<Step> {
  const { place, fullUrl, target, ifMatch } = request;
  const { type } = target;
  if (target.kind === 'instance') {
    admitId(target.id, 'Bundle.entry.request.url');
    // What never was there is gone as it should be; with If-Match the caller believes otherwise.
    const known = ifMatch !== undefined || (await work.resources.read(type, target.id)) !== undefined;
    if (!known) return { kind: 'settled', place, fullUrl, written: undefined };
    return { kind: 'delete', place, fullUrl, type, id: target.id, ifMatch };
  }
  if (target.kind !== 'matching') {
    throw badRequest('DELETE goes to the url of a resource, or to Type?criteria');
  }
  const found = await findOne(work, type, target.query);
  if (!found) return { kind: 'settled', place, fullUrl, written: undefined };
  return { kind: 'delete', place, fullUrl, type, id: found.id, ifMatch };
}

function admitted(work: Work, request: Request): { readonly type: string; readonly resource: FhirResource } {
  const { type, resource } = admit(work.parts.index, request.resource);
  if (type !== request.target.type) {
    throw badRequest('the resource is of another type than its url', 'Resource.resourceType');
  }
  return { type, resource };
}

/** Carries a writing step out. undefined: there was nothing to delete. */
export async function perform(
  work: Work,
  step: Exclude<Step, { kind: 'read' }>,
): Promise<Written | undefined> {
  switch (step.kind) {
    case 'create':
      return create(work, step.resource, { id: step.id });
    case 'update':
      return update(work, step.resource, step.ifMatch === undefined ? {} : { ifMatch: step.ifMatch });
    case 'delete':
      return remove(work, step.type, step.id, step.ifMatch === undefined ? {} : { ifMatch: step.ifMatch });
    case 'settled':
      return step.written;
    default:
      return step satisfies never;
  }
}
