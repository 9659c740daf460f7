// What came together, on its way into the store: where it is durable so far, and how it is brought in.
import { Refusal } from '../kernel/outcomes.ts';
import type { MessageRecord, MessageWriter } from '../storage/message-store.ts';
import type { Claim } from './claims.ts';

/** Durable together, or not at all. */
export interface Arrived {
  /** In the order of arrival. */
  readonly number: number;
  readonly claims: readonly Claim[];
  readonly bytes: number;
  readonly durable: PromiseWithResolvers<undefined>;
  readonly over: PromiseWithResolvers<undefined>;
  timer?: NodeJS.Timeout;
  journal: 'not-asked' | 'writing' | 'there' | 'failed';
}

/** What a message takes beside its bytes, while it waits. */
const ownBytes = 2_000;

export const arrivedOf = (given: Pick<Arrived, 'number' | 'claims' | 'journal'>): Arrived => ({
  ...given,
  bytes: given.claims.reduce((sum, { message }) => sum + message.raw.byteLength + ownBytes, 0),
  durable: Promise.withResolvers<undefined>(),
  over: Promise.withResolvers<undefined>(),
});

/** Nothing but the store can keep it. */
export const isOnlyHere = ({ journal }: Arrived): boolean => journal === 'not-asked' || journal === 'failed';

/** What a crash has left in the journal may be in the store already. */
export async function bringIn({ claims }: Arrived, messages: MessageWriter): Promise<void> {
  for (const claim of claims) await put(claim, messages);
}

async function put(claim: Claim, messages: MessageWriter): Promise<void> {
  const { record, raw, follow } = claim.message;
  const { fate } = claim;
  claim.fateInStore = fate;
  const kept: MessageRecord = fate === undefined ? record : { ...record, acknowledgement: fate };
  try {
    await messages.keep(kept, raw);
  } catch (error) {
    if (!(error instanceof Refusal && error.code === 'conflict')) throw error;
    claim.fateInStore = undefined;
    return;
  }
  if (follow !== undefined) await messages.enqueue({ ...follow, cause: record.id });
}
