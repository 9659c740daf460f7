// Puts the repository together over a store and the compiled search parameters.
import type { Bundle } from '@medplum/fhirtypes';
import type { Patch } from '../fhir/patch/work.ts';
import type { FhirResource } from '../fhir/resource.ts';
import { lazyShapes } from '../fhir/shapes/cache.ts';
import type { Shapes } from '../fhir/shapes/shape.ts';
import type { Actor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import { badRequest } from '../kernel/outcomes.ts';
import type { SearchIndex } from '../search/search-index.ts';
import type { ContentStore, StoredContent } from '../storage/content-store.ts';
import type { ResourceName } from '../storage/resource-store.ts';
import type { Store, TransactionChoice } from '../storage/store.ts';
import { applyBatch } from './batch.ts';
import { noOtherReads, type OtherReads } from './bundle-response.ts';
import { removeWith, type DeleteChoice } from './cascade.ts';
import { deleteWhere, updateWhere } from './conditional.ts';
import { expunge, type Expunging } from './expunge.ts';
import { metaInUse, type MetaSets } from './meta.ts';
import { patch, patchWhere } from './patch.ts';
import { prepareTransaction } from './prepare-transaction.ts';
import { answerTransaction, applyTransaction } from './transaction.ts';
import type { Preconditions } from './preconditions.ts';
import type { BundleReader, Repository, RepositoryUnit, WritesResources, Written } from './repository.ts';
import { openUnit, readingOf, type ChangeListener } from './unit.ts';
import type { Parts, Reading, Work } from './work.ts';

export interface RepositoryOptions {
  readonly store: Store;
  readonly index: SearchIndex;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  /** The public FHIR base without a slash at its end, once it is known. */
  readonly base: () => string;
  /** Whether what is referred to must be there; true unless told otherwise. */
  readonly referentialIntegrity?: boolean;
  /** Shared with other parts, so that they are read once. */
  readonly shapes?: () => Shapes;
}

/** The writes by criteria and by patches besides, which only REST needs. */
export interface ConditionalRepository extends Repository {
  /** The FHIR base under which urls are read as its own, without a slash at its end. */
  readonly base: () => string;
  /** Where the data of large Binaries is kept. */
  readonly contents: ContentStore;
  updateWhere(
    actor: Actor,
    resource: FhirResource,
    criteria: string,
    expected?: Preconditions,
    content?: StoredContent,
  ): Promise<Written>;
  patch(actor: Actor, type: string, id: string, change: Patch, expected?: Preconditions): Promise<Written>;
  patchWhere(
    actor: Actor,
    type: string,
    criteria: string,
    change: Patch,
    expected?: Preconditions,
  ): Promise<Written>;
  /** All that was deleted; with `choice.cascade` also what referred to it. The asked one comes first. */
  deleteWith(actor: Actor, name: ResourceName, choice: DeleteChoice): Promise<readonly Written[]>;
  /** The same for all that match: at most a thousand, else Refusal `multiple-matches`. */
  deleteWhere(
    actor: Actor,
    type: string,
    criteria: string,
    choice?: DeleteChoice,
  ): Promise<readonly Written[]>;
  /** Takes versions or resources away for good, and says so in the log; how many versions. */
  expunge(actor: Actor, asked: Expunging): Promise<number>;
  /** The profiles, security labels and tags that resources of these types have. */
  metaInUse(types: readonly string[]): Promise<MetaSets>;
}

export function createRepository(options: RepositoryOptions): ConditionalRepository {
  const { store, logger } = options;
  const parts: Parts = { ...options, shapes: options.shapes ?? lazyShapes() };
  const listeners: ChangeListener[] = [];
  const committedListeners: (() => void)[] = [];

  async function run<T>(
    actor: Actor,
    job: (work: Work, unit: RepositoryUnit) => Promise<T>,
    choice?: TransactionChoice,
  ): Promise<T> {
    let touched = (): boolean => false;
    const result = await store.transact(async (transaction) => {
      const open = openUnit(parts, transaction, actor, listeners);
      touched = open.touched;
      const done = await job(open.work, open.unit);
      await open.work.integrity.check();
      return done;
    }, choice);
    if (touched()) tellCommitted(committedListeners, logger);
    return result;
  }

  const reading = { parts, resources: store.resources };
  const reads = readingOf(reading);
  const as = (actor: Actor): WritesResources => ({
    ...reads,
    create: (resource, choice) => run(actor, (_work, unit) => unit.create(resource, choice)),
    update: (resource, choice, content) =>
      run(actor, (_work, unit) => unit.update(resource, choice, content)),
    delete: (type, id, choice) => run(actor, (_work, unit) => unit.delete(type, id, choice)),
    apply: (bundle, others) => apply(bundle, actor, others),
  });
  async function apply(bundle: Bundle, actor: Actor, others?: BundleReader): Promise<Bundle> {
    if (bundle.type === 'transaction') {
      const prepared = await prepareTransaction(parts, bundle);
      return answerTransaction(
        await run(actor, (work) => applyTransaction(work, prepared, readingOthers(work, others))),
      );
    }
    if (bundle.type === 'batch') {
      return applyBatch(reading, bundle, (job) => run(actor, job), readingOthers(reading, others));
    }
    throw badRequest('the type of the Bundle is transaction or batch', 'Bundle.type');
  }

  return {
    as,
    base: options.base,
    contents: store.contents,
    transact: (actor, work, choice) => run(actor, (_work, unit) => work(unit), choice),
    onChange: (listener) => void listeners.push(listener),
    onCommitted: (listener) => void committedListeners.push(listener),
    updateWhere: (actor, resource, criteria, expected, content) =>
      run(actor, (work) => updateWhere(work, resource, criteria, expected, { content })),
    patch: (actor, type, id, change, expected) =>
      run(actor, (work) => patch(work, type, id, change, expected)),
    patchWhere: (actor, type, criteria, change, expected) =>
      run(actor, (work) => patchWhere(work, type, criteria, change, expected)),
    expunge: async (actor, asked) => {
      const versions = await run(actor, (work) => expunge(work, asked));
      logger.warn({ actor: actor.id, type: asked.type, id: asked.id, versions }, 'versions were expunged');
      return versions;
    },
    metaInUse: (types) => metaInUse(reading, types),
    deleteWith: (actor, name, choice) => run(actor, (work) => removeWith(work, name, choice)),
    deleteWhere: (actor, type, criteria, choice) =>
      run(actor, (work) => deleteWhere(work, type, criteria, choice)),
  };
}

const readingOthers = (reading: Reading, others: BundleReader | undefined): OtherReads =>
  others ? (read) => others(readingOf(reading), read) : noOtherReads;

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
