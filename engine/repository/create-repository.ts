// Puts the repository together over a store and the compiled search parameters.
import type { Bundle } from '@medplum/fhirtypes';
import type { Patch } from '../fhir/patch/work.ts';
import type { FhirResource } from '../fhir/resource.ts';
import type { Actor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import { badRequest } from '../kernel/outcomes.ts';
import type { SearchIndex } from '../search/search-index.ts';
import type { Store } from '../storage/store.ts';
import { applyBatch } from './batch.ts';
import { deleteWhere, updateWhere } from './conditional.ts';
import { patch, patchWhere } from './patch.ts';
import type { Repository, RepositoryUnit, WritesResources, Written } from './repository.ts';
import { openUnit, readingOf, type ChangeListener } from './unit.ts';
import type { UpdateChoice } from './update.ts';
import type { Parts, Work } from './work.ts';

export interface RepositoryOptions {
  readonly store: Store;
  readonly index: SearchIndex;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  /** The public FHIR base without a slash at its end, once it is known. */
  readonly base: () => string;
}

/** The writes by criteria and by patches besides, which only REST needs. */
export interface ConditionalRepository extends Repository {
  updateWhere(
    actor: Actor,
    resource: FhirResource,
    criteria: string,
    choice?: UpdateChoice,
  ): Promise<Written>;
  patch(actor: Actor, type: string, id: string, change: Patch, choice?: UpdateChoice): Promise<Written>;
  patchWhere(
    actor: Actor,
    type: string,
    criteria: string,
    change: Patch,
    choice?: UpdateChoice,
  ): Promise<Written>;
  /** undefined: nothing matched. */
  deleteWhere(
    actor: Actor,
    type: string,
    criteria: string,
    choice?: UpdateChoice,
  ): Promise<Written | undefined>;
}

export function createRepository(options: RepositoryOptions): ConditionalRepository {
  const { store, logger } = options;
  const parts: Parts = options;
  const listeners: ChangeListener[] = [];
  const committedListeners: (() => void)[] = [];

  async function run<T>(actor: Actor, job: (work: Work, unit: RepositoryUnit) => Promise<T>): Promise<T> {
    let touched = (): boolean => false;
    const result = await store.transact((transaction) => {
      const open = openUnit(parts, transaction, actor, listeners);
      touched = open.touched;
      return job(open.work, open.unit);
    });
    if (touched()) tellCommitted(committedListeners, logger);
    return result;
  }

  const reading = { parts, resources: store.resources };
  const reads = readingOf(reading);
  const as = (actor: Actor): WritesResources => ({
    ...reads,
    create: (resource, choice) => run(actor, (_work, unit) => unit.create(resource, choice)),
    update: (resource, choice) => run(actor, (_work, unit) => unit.update(resource, choice)),
    delete: (type, id, choice) => run(actor, (_work, unit) => unit.delete(type, id, choice)),
    apply: (bundle) => apply(bundle, actor),
  });
  async function apply(bundle: Bundle, actor: Actor): Promise<Bundle> {
    if (bundle.type === 'transaction') return run(actor, (_work, unit) => unit.apply(bundle));
    if (bundle.type === 'batch') return applyBatch(reading, bundle, (job) => run(actor, job));
    throw badRequest('the type of the Bundle is transaction or batch', 'Bundle.type');
  }

  return {
    as,
    transact: (actor, work) => run(actor, (_work, unit) => work(unit)),
    onChange: (listener) => void listeners.push(listener),
    onCommitted: (listener) => void committedListeners.push(listener),
    updateWhere: (actor, resource, criteria, choice) =>
      run(actor, (work) => updateWhere(work, resource, criteria, choice)),
    patch: (actor, type, id, change, choice) => run(actor, (work) => patch(work, type, id, change, choice)),
    patchWhere: (actor, type, criteria, change, choice) =>
      run(actor, (work) => patchWhere(work, type, criteria, change, choice)),
    deleteWhere: (actor, type, criteria, choice) =>
      run(actor, (work) => deleteWhere(work, type, criteria, choice)),
  };
}

/** What is committed stays so whatever a listener does: its failure is a defect of its own. */
function tellCommitted(listeners: readonly (() => void)[], logger: Logger): void {
  for (const listener of listeners) {
    try {
      listener();
    } catch (error) {
      logger.error({}, 'a listener for commits failed', error);
    }
  }
}
