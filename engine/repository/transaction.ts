// https://hl7.org/fhir/R4/http.html#transaction: all or nothing, in the order that the rules give, whatever the order of the entries.
import type { Bundle, BundleEntry } from '@medplum/fhirtypes';
import { namedAsync } from './bundle-entries.ts';
import { createBreath } from './breath.ts';
import { perform, stepOf, type Step } from './bundle-step.ts';
import { answerRead, answerWritten, type OtherReads } from './bundle-response.ts';
import { resolveConditionals, type Waiting } from './conditional-references.ts';
import {
  identitiesOf,
  linked,
  namesOf,
  type PreparedEntry,
  type PreparedTransaction,
} from './prepare-transaction.ts';
import { createReadLimit } from './read-limit.ts';
import type { Written } from './repository.ts';
import type { Identities } from './rewrite-references.ts';
import type { Work } from './work.ts';

/** What the entries came to, by their places: what was written, or the answer to what was read. */
type Done = readonly (
  { readonly written: readonly Written[] } | { readonly read: BundleEntry } | undefined
)[];
type Doing = Done[number][];

/** Answers what became of each entry. Throws the first Refusal, which names its entry. */
export async function applyTransaction(
  work: Work,
  prepared: PreparedTransaction,
  others?: OtherReads,
): Promise<Done> {
  const { entries } = prepared;
  const done: Doing = entries.map(() => undefined);
  const steps = await planned(work, entries, done);
  const identities = prepared.identities ?? identitiesOf(steps);
  work.integrity.noteEntries(() => placesOf(steps));
  await settle(work, steps, done);
  await write(work, await waitingOf(entries, steps, identities), done);
  await answerReads(work, steps, done, others);
  return done;
}

/** The response Bundle, entry for entry. That can wait until others have had what they wait for: it is made after the transaction. */
export async function answerTransaction(done: Done): Promise<Bundle> {
  const entry: BundleEntry[] = [];
  const breathe = createBreath();
  for (const one of done) {
    await breathe();
    if (one === undefined) entry.push({});
    else entry.push('read' in one ? one.read : answerWritten(one.written));
  }
  return { resourceType: 'Bundle', type: 'transaction-response', ...(entry.length === 0 ? {} : { entry }) };
}

/** Deletions are carried out first: no condition of the other entries finds what they take away. */
async function planned(
  work: Work,
  prepared: readonly PreparedEntry[],
  done: Doing,
): Promise<readonly Step[]> {
  const deletes = ({ request }: PreparedEntry): boolean => request.method === 'DELETE';
  const gone = await decided(work, prepared.filter(deletes));
  await settle(work, gone, done);
  const others = await decided(
    work,
    prepared.filter((entry) => !deletes(entry)),
  );
  if (gone.length === 0) return others;
  return [...gone, ...others].toSorted((one, other) => one.place - other.place);
}

async function decided(work: Work, prepared: readonly PreparedEntry[]): Promise<readonly Step[]> {
  const steps: Step[] = [];
  const breathe = createBreath();
  for (const { request, step } of prepared) {
    if (step === undefined) await breathe();
    steps.push(step ?? (await namedAsync(request.place, () => stepOf(work, request))));
  }
  return steps;
}

/** `Type/id` → the place of the entry that writes it. */
const placesOf = (steps: readonly Step[]): ReadonlyMap<string, number> =>
  new Map(steps.flatMap((step) => namesOf(step).map((name) => [name, step.place] as const)));

/** Deletions, and what is settled already and needs only its answer; each once. */
async function settle(work: Work, steps: readonly Step[], done: Doing): Promise<void> {
  const breathe = createBreath();
  for (const step of steps) {
    if ((step.kind !== 'delete' && step.kind !== 'settled') || done[step.place]) continue;
    await breathe();
    await namedAsync(step.place, async () => {
      done[step.place] = { written: await perform(work, step) };
    });
  }
}

/** In this order. */
const writing: readonly (readonly Step['kind'][])[] = [['create'], ['update', 'patch']];

async function waitingOf(
  prepared: readonly PreparedEntry[],
  steps: readonly Step[],
  identities: Identities,
): Promise<readonly Waiting[]> {
  const waiting: Waiting[] = [];
  const breathe = createBreath();
  for (const [place, step] of steps.entries()) {
    if (step.kind !== 'create' && step.kind !== 'update' && step.kind !== 'patch') continue;
    const ready = prepared[place]?.linked;
    if (ready === undefined) await breathe();
    waiting.push(ready ?? linked(step, identities));
  }
  return writing.flatMap((kinds) => waiting.filter(({ step }) => kinds.includes(step.kind)));
}

async function write(work: Work, waiting: readonly Waiting[], done: Doing): Promise<void> {
  const breathe = createBreath();
  for await (const step of resolveConditionals(work, waiting)) {
    await breathe();
    await namedAsync(step.place, async () => {
      done[step.place] = { written: await perform(work, step) };
    });
  }
}

async function answerReads(
  work: Work,
  steps: readonly Step[],
  done: Doing,
  others: OtherReads | undefined,
): Promise<void> {
  const limited = createReadLimit();
  const breathe = createBreath();
  for (const step of steps) {
    if (step.kind !== 'read') continue;
    await breathe();
    await namedAsync(step.place, async () => {
      done[step.place] = { read: limited(await answerRead(work, step.request, others)) };
    });
  }
}
