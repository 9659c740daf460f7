// What became of the answers (sent, undelivered), gathered so that it costs no commit of its own while messages flow.
import type { Logger } from '../kernel/logger.ts';
import { Refusal } from '../kernel/outcomes.ts';
import type { MessageWriter } from '../storage/message-store.ts';
import type { Store, TransactionChoice } from '../storage/store.ts';

export type Fate = 'sent' | 'undelivered';

export interface AcknowledgementFates {
  /** Of a message that the store has. */
  note(messageId: string, fate: Fate): void;
  /** One durable transaction: `work`, and what was noted so far. */
  writtenAlongWith<T>(work: (messages: MessageWriter) => Promise<T>, choice?: TransactionChoice): Promise<T>;
  /** Writes what is noted. After a power cut what was not written stays `pending`, which is honest: nobody knows. */
  flush(): Promise<void>;
}

export interface FatesOptions {
  readonly store: Pick<Store, 'transact'>;
  readonly logger: Logger;
  /** How long a fate may wait for a commit to go along with. */
  readonly patienceMs: number;
}

export function createAcknowledgementFates({
  store,
  logger,
  patienceMs,
}: FatesOptions): AcknowledgementFates {
  let noted = new Map<string, Fate>();
  let timer: NodeJS.Timeout | undefined;

  const take = (): ReadonlyMap<string, Fate> => {
    const taken = noted;
    noted = new Map();
    clearTimeout(timer);
    timer = undefined;
    return taken;
  };
  const giveBack = (taken: ReadonlyMap<string, Fate>): void => {
    if (taken.size === 0) return;
    const since = noted;
    noted = new Map(taken);
    for (const [messageId, fate] of since) if (noted.get(messageId) !== 'sent') noted.set(messageId, fate);
    wait();
  };
  const wait = (): void => {
    timer ??= setTimeout(flushInTime, patienceMs).unref();
  };
  const flushInTime = (): void => {
    flush().catch((cause: unknown) =>
      logger.error(
        { waiting: noted.size },
        'fates of acknowledgements could not be written; tried again',
        cause,
      ),
    );
  };
  const writtenAlongWith: AcknowledgementFates['writtenAlongWith'] = async (work, choice) => {
    const taken = take();
    try {
      return await store.transact(async ({ messages }) => {
        const done = await work(messages);
        await writeFates(messages, taken);
        return done;
      }, choice);
    } catch (error) {
      giveBack(taken);
      throw error;
    }
  };
  const flush = async (): Promise<void> => {
    if (noted.size > 0) await writtenAlongWith(() => Promise.resolve(), { canWait: true, isShort: true });
  };
  return {
    note: (messageId, fate) => {
      // What once reached the sender did, whatever becomes of its repetition.
      if (noted.get(messageId) !== 'sent') noted.set(messageId, fate);
      wait();
    },
    writtenAlongWith,
    flush,
  };
}

async function writeFates(messages: MessageWriter, fates: ReadonlyMap<string, Fate>): Promise<void> {
  for (const [id, acknowledgement] of fates) {
    await messages.change(id, { acknowledgement }).catch(ignoreGone);
  }
}

/** A message may have been purged meanwhile; then nobody asks for the fate of its answer. */
function ignoreGone(error: unknown): void {
  if (!(error instanceof Refusal && error.code === 'not-found')) throw error;
}
