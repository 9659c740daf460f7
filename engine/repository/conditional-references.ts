// `Patient?identifier=…` in a Reference of a transaction: resolved after what it may point at has been written, to exactly one.
import { preconditionFailed } from '../kernel/outcomes.ts';
import { namedAsync } from './bundle-entries.ts';
import type { WriteStep } from './bundle-step.ts';
import { findOne, withoutValues } from './find-one.ts';
import { isConditional, rewriteTexts } from './rewrite-references.ts';
import type { Work } from './work.ts';

/** A step whose resource still has these conditional references in it. */
export interface Waiting {
  readonly step: WriteStep;
  readonly conditionals: ReadonlySet<string>;
}

/**
 * Hands the steps out in an order in which a step comes after all those of the types that its conditional references ask for,
 * resolved. Each must be carried out before the next is asked for. Where types wait for each other in a ring, the order of
 * the transaction decides.
 */
export async function* resolveConditionals(work: Work, steps: readonly Waiting[]): AsyncGenerator<WriteStep> {
  let waiting = steps;
  while (waiting.length > 0) {
    const counts = countByType(waiting);
    const ready = waiting.filter((one) => !waitsForOthers(one, counts));
    const round = ready.length > 0 ? ready : waiting;
    yield* resolveRound(work, round, ready.length > 0);
    const done = new Set(round);
    waiting = waiting.filter((one) => !done.has(one));
  }
}

function countByType(steps: readonly Waiting[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { step } of steps) counts.set(step.type, (counts.get(step.type) ?? 0) + 1);
  return counts;
}

function waitsForOthers({ step, conditionals }: Waiting, counts: ReadonlyMap<string, number>): boolean {
  for (const reference of conditionals) {
    const type = typeOf(reference);
    if ((counts.get(type) ?? 0) > (type === step.type ? 1 : 0)) return true;
  }
  return false;
}

/** `settled`: nothing written in this round can change what a condition finds, so each is asked once. */
async function* resolveRound(
  work: Work,
  round: readonly Waiting[],
  settled: boolean,
): AsyncGenerator<WriteStep> {
  const known = new Map<string, string>();
  for (const { step, conditionals } of round) {
    if (!settled) known.clear();
    for (const reference of conditionals) {
      if (known.has(reference)) continue;
      known.set(reference, await namedAsync(step.place, () => resolve(work, reference)));
    }
    yield conditionals.size === 0 ? step : { ...step, resource: withReferences(step, known) };
  }
}

function withReferences(step: WriteStep, known: ReadonlyMap<string, string>): WriteStep['resource'] {
  return rewriteTexts(step.resource, (text, key) =>
    isConditional(text, key) ? (known.get(text) ?? text) : text,
  );
}

async function resolve(work: Work, reference: string): Promise<string> {
  const type = typeOf(reference);
  const criteria = reference.slice(type.length + 1);
  const found = await findOne(work, type, criteria);
  if (!found) throw preconditionFailed(`nothing matches the reference ${withoutValues(type, criteria)}`);
  return `${type}/${found.id}`;
}

const typeOf = (reference: string): string => reference.slice(0, reference.indexOf('?'));
