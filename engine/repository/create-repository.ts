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
import type { ValueSetContent } from '../terminology/content.ts';
import type { TerminologySource } from '../terminology/terminology-source.ts';
import { terminologyOf } from './answer-questions.ts';
import { applyBatch } from './batch.ts';
import type { OtherReads } from './bundle-response.ts';
import { removeWith, type DeleteChoice } from './cascade.ts';
import { deleteWhere, updateWhere } from './conditional.ts';
import { expandedValueSet, type ExpansionWish } from './expand-value-set.ts';
import { expunge, type Expunging } from './expunge.ts';
import { metaInUse, type MetaSets } from './meta.ts';
import { patch, patchWhere } from './patch.ts';
import { prepareTransaction } from './prepare-transaction.ts';
import { purge } from './purge.ts';
import { recordOf } from './provenance.ts';
import { TerminologyMemory } from './terminology-memory.ts';
import { answerTransaction, applyTransaction } from './transaction.ts';
import type { Preconditions } from './preconditions.ts';
import type { BundleChoice, Repository, RepositoryUnit, WritesResources, Written } from './repository.ts';
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
  /** The code systems and value sets that are stored here, and those of R4 itself. */
  readonly terminology: TerminologySource;
  /** The value set with its codes. Throws Refusal `bad-request` where it cannot be expanded. */
  expandValueSet(content: ValueSetContent, wish: ExpansionWish): Promise<FhirResource>;
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
  /** Takes a patient's record away for good, and says so in the log; how many versions. */
  purge(actor: Actor, id: string): Promise<number>;
  /** The profiles, security labels and tags that resources of these types have. */
  metaInUse(types: readonly string[]): Promise<MetaSets>;
  /** The same, but each transaction that changes something writes this Provenance too, with what was changed as its targets. */
  recording(provenance: FhirResource): ConditionalRepository;
}

/** What all forms of one repository share. */
interface Shared {
  readonly store: Store;
  readonly logger: Logger;
  readonly parts: Parts;
  readonly listeners: ChangeListener[];
  readonly committedListeners: (() => void)[];
  readonly terminology: TerminologyMemory;
}

export function createRepository(options: RepositoryOptions): ConditionalRepository {
  const { store, logger, shapes = lazyShapes() } = options;
  const parts: Parts = { ...options, shapes };
  return assembled({
    store,
    logger,
    parts,
    listeners: [],
    committedListeners: [],
    terminology: new TerminologyMemory(),
  });
}

function assembled(shared: Shared, provenance?: FhirResource): ConditionalRepository {
  const { store, logger, parts, listeners, committedListeners, terminology: memory } = shared;

  async function run<T>(
    actor: Actor,
    job: (work: Work, unit: RepositoryUnit) => Promise<T>,
    choice?: TransactionChoice,
  ): Promise<T> {
    let touched = (): boolean => false;
    const watch = watchTerminology(memory);
    const transaction = store.transact(async (transaction) => {
      const record = provenance && recordOf(provenance);
      const others = record ? [watch.note, record.note] : [watch.note];
      const open = openUnit(parts, transaction, actor, [...listeners, ...others]);
      touched = open.touched;
      const done = await job(open.work, open.unit);
      await record?.write(open.unit);
      await open.work.integrity.check();
      return done;
    }, choice);
    const result = await transaction.finally(watch.end);
    if (touched()) tellCommitted(committedListeners, logger);
    return result;
  }

  const reading = { parts, resources: store.resources, terminology: memory };
  const reads = readingOf(reading);
  const terminology = terminologyOf(reading);
  const as = (actor: Actor): WritesResources => ({
    ...reads,
    create: (resource, choice) => run(actor, (_work, unit) => unit.create(resource, choice)),
    update: (resource, choice, content) =>
      run(actor, (_work, unit) => unit.update(resource, choice, content)),
    delete: (type, id, choice) => run(actor, (_work, unit) => unit.delete(type, id, choice)),
    apply: (bundle, choice) => apply(bundle, actor, choice),
  });
  async function apply(bundle: Bundle, actor: Actor, choice: BundleChoice = {}): Promise<Bundle> {
    if (bundle.type === 'transaction') {
      const prepared = await prepareTransaction(parts, bundle);
      const done = await run(actor, (work) => applyTransaction(work, prepared, othersFrom(work, choice)));
      return answerTransaction(done);
    }
    if (bundle.type === 'batch') {
      const others = othersFrom(reading, choice);
      return applyBatch(reading, bundle, (job) => run(actor, job), { ...choice, others });
    }
    throw badRequest('the type of the Bundle is transaction or batch', 'Bundle.type');
  }

  return {
    as,
    base: parts.base,
    terminology,
    expandValueSet: (content, wish) => expandedValueSet(parts, terminology, content, wish),
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
    purge: async (actor, id) => {
      const versions = await run(actor, (work) => purge(work, id));
      logger.warn({ actor: actor.id, type: 'Patient', id, versions }, 'a record was purged');
      return versions;
    },
    metaInUse: (types) => metaInUse(reading, types),
    recording: (record) => assembled(shared, record),
    deleteWith: (actor, name, choice) => run(actor, (work) => removeWith(work, name, choice)),
    deleteWhere: (actor, type, criteria, choice) =>
      run(actor, (work) => deleteWhere(work, type, criteria, choice)),
  };
}

/** Listens to the changes of a transaction; `end` is to be called when it is over, whatever came of it. */
function watchTerminology(memory: TerminologyMemory): {
  readonly note: ChangeListener;
  readonly end: () => void;
} {
  let changed: (() => void) | undefined;
  return {
    note: async ({ version }) => {
      if (memory.holds(version.type)) changed ??= memory.change();
    },
    end: () => changed?.(),
  };
}

const othersFrom = (reading: Reading, { others }: BundleChoice): OtherReads | undefined =>
  others && ((read) => others(readingOf(reading), read));

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
