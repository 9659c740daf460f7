// Which arrivals are the same message. Those that are not in the store yet hold a claim, so that a copy that comes meanwhile is known; of the
// others the store knows.
import type { MessageReader, MessageRecord } from '../storage/message-store.ts';
import type { Fate } from './acknowledgement-fates.ts';
import type { Kept, ToKeep } from './stages.ts';

export interface Claim {
  readonly message: ToKeep;
  /** Neither here before, nor on its way in already. */
  isNew: boolean;
  /** What became of its answer, and what the store has been told of that. */
  fate?: Fate;
  fateInStore?: Fate | undefined;
  readonly kept: Promise<Kept>;
  resolve(): void;
}

interface OwnClaim extends Claim {
  readonly outcome: PromiseWithResolvers<Kept>;
}

export class Claims {
  readonly #messages: Pick<MessageReader, 'duplicateOf'>;
  readonly #anonymousMs: number;
  readonly #byKey = new Map<string, OwnClaim>();
  readonly #byId = new Map<string, OwnClaim>();

  constructor(messages: Pick<MessageReader, 'duplicateOf'>, anonymousMs: number) {
    this.#messages = messages;
    this.#anonymousMs = anonymousMs;
  }

  /**
   * A message with the channel, type, control id and bytes of an earlier one is its retransmission: it is not kept again, and gets the
   * answer that the earlier one got. The same control id over other bytes is another message: device counters start again.
   */
  claim(message: ToKeep): Claim {
    const earlier = this.#byKey.get(keyOf(message));
    if (earlier !== undefined && this.#isSame(message, earlier.message.record)) {
      return copyOf(message, earlier);
    }
    const claim = ownClaim(message);
    if (mayBeCopy(message)) this.#byKey.set(keyOf(message), claim);
    this.#byId.set(message.record.id, claim);
    return claim;
  }

  /** Asks the store about those that are new so far. */
  async lookUp(claims: readonly Claim[]): Promise<void> {
    for (const claim of claims) {
      const { message } = claim;
      if (!claim.isNew || !mayBeCopy(message)) continue;
      const earlier = await this.#messages.duplicateOf(message.record, message.onlyFrom);
      if (earlier === undefined || !this.#isSame(message, earlier)) continue;
      claim.isNew = false;
      this.release(claim);
      (claim as OwnClaim).outcome.resolve(duplicate(earlier, message));
    }
  }

  /** The claim of a message that is not in the store yet. */
  outside(messageId: string): Claim | undefined {
    return this.#byId.get(messageId);
  }

  /** The store knows of it, or it was not kept. */
  release({ message }: Claim): void {
    const key = keyOf(message);
    if (this.#byKey.get(key)?.message === message) this.#byKey.delete(key);
    this.#byId.delete(message.record.id);
  }

  fail(claim: Claim, error: unknown): void {
    if (!('outcome' in claim)) return;
    this.release(claim);
    (claim as OwnClaim).outcome.reject(error);
  }

  /**
   * Without a control id only the bytes tell. A device that missed our answer comes back within minutes; the same bytes much later are
   * asked for by a person (a manual retransmission, a host query repeated), and are taken as new: results that are the same make no new
   * versions.
   */
  #isSame({ record, isOnce }: ToKeep, earlier: MessageRecord): boolean {
    return isOnce || record.receivedAt - earlier.receivedAt <= this.#anonymousMs;
  }
}

/** A query is asked anew unless its control id says that it is a retransmission. */
const mayBeCopy = ({ isOnce, isQuery }: ToKeep): boolean => isOnce || !isQuery;

function keyOf({ record, onlyFrom = '' }: ToKeep): string {
  const { channel, messageType, controlId, digest } = record;
  return JSON.stringify([channel, messageType, controlId, digest, onlyFrom]);
}

const duplicate = (earlier: MessageRecord, { record }: ToKeep): Kept => ({
  record: earlier,
  duplicate: true,
  answers: earlier.answer ?? record.answer,
});

function ownClaim(message: ToKeep): OwnClaim {
  const outcome = Promise.withResolvers<Kept>();
  const { record } = message;
  const kept: Kept = { record, duplicate: false, answers: record.answer };
  return { message, isNew: true, outcome, kept: outcome.promise, resolve: () => outcome.resolve(kept) };
}

/** Kept when the earlier one is; where that is not, neither is this one. */
const copyOf = (message: ToKeep, earlier: OwnClaim): Claim => ({
  message,
  isNew: false,
  kept: earlier.kept.then(({ record }) => duplicate(record, message)),
  resolve: () => undefined,
});
