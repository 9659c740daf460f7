// Messages on their way into the store. What has come is kept when it is durable: in the store, or, where the store is busy with longer work,
// in the journal, from which the store takes it in the order of arrival as soon as it can. So neither a long import nor the mapping of what came
// before holds an acknowledgement up, and what is processed need not be committed piece by piece for its sake.
import { deserialize, serialize } from 'node:v8';
import type { Logger } from '../kernel/logger.ts';
import type { MessageWriter } from '../storage/message-store.ts';
import type { Store, TransactionChoice } from '../storage/store.ts';
import { createAcknowledgementFates, type AcknowledgementFates, type Fate } from './acknowledgement-fates.ts';
import { arrivedOf, bringIn, isOnlyHere, type Arrived } from './arrived.ts';
import { Claims, type Claim } from './claims.ts';
import type { Kept, KeepsArrivals, ToKeep } from './stages.ts';

export interface ArrivalsOptions {
  readonly store: Pick<Store, 'transact' | 'isHeldUp' | 'messages' | 'journal'>;
  readonly logger: Logger;
  /** Called when messages of this channel are in the store; with those to be sent besides, so that they can go out. */
  readonly taken: (channel: string) => void;
  readonly enqueued: () => void;
  /** How long what became of an answer may wait for a commit to go along with. */
  readonly fatePatienceMs: number;
  /** Within this time a message without control id and with the same bytes is a retransmission. */
  readonly anonymousDuplicateMs: number;
  /** What the store could not take in is tried again after so long. */
  readonly againMs: number;
}

export interface Arrivals extends KeepsArrivals {
  /** Resolves when what has been acknowledged so far is in the store, or could not be taken in so far. */
  settled(): Promise<void>;
  /** Takes in what was acknowledged before the engine ended. */
  start(): Promise<void>;
  /** Waits until all is in the store, if that can be; what the journal holds then is taken in at the next start. */
  stop(): Promise<void>;
}

/** A store that is not busy has taken a message in after so long; where it has not, the journal is asked. */
const patienceMs = 5;
/** What is larger, or comes when so much waits for the store, waits with its sender until the store has it. Bytes. */
const mostJournalled = 1024 * 1024;
const mostWaiting = 32 * 1024 * 1024;

const atOnce: TransactionChoice = {};
const whenItSuits: TransactionChoice = { canWait: true, isShort: true };

export const createArrivals = (options: ArrivalsOptions): Arrivals => new JournalledArrivals(options);

class JournalledArrivals implements Arrivals {
  readonly #options: ArrivalsOptions;
  readonly #fates: AcknowledgementFates;
  readonly #claims: Claims;
  /** What the store does not have yet and nobody is taking in, in the order of arrival. */
  #waiting: Arrived[] = [];
  /** The same, and what is being taken in. */
  readonly #outside = new Set<Arrived>();
  #bytes = 0;
  /** Of arrivals: the last that was given; up to which the journal has been written; and up to which the store says that it has them. */
  #last = 0;
  #journalled = 0;
  #marked = 0;
  /** Takings that are asked for and have not begun. */
  readonly #asked = new Set<TransactionChoice>();
  #isTaking = false;
  #again: NodeJS.Timeout | undefined;

  constructor(options: ArrivalsOptions) {
    const { store, logger, fatePatienceMs: patienceMs, anonymousDuplicateMs } = options;
    this.#options = options;
    this.#fates = createAcknowledgementFates({ store, logger, patienceMs });
    this.#claims = new Claims(store.messages, anonymousDuplicateMs);
  }

  async keep(messages: readonly ToKeep[]): Promise<readonly Kept[]> {
    const claims = messages.map((message) => this.#claims.claim(message));
    const kept = Promise.all(claims.map((claim) => claim.kept));
    // A copy of what others sent may hear before this is asked for that it was not kept.
    kept.catch(() => undefined);
    try {
      await this.#claims.lookUp(claims);
      const news = claims.filter((claim) => claim.isNew);
      if (news.length > 0) await this.#arrive(news);
      for (const claim of news) claim.resolve();
    } catch (error) {
      for (const claim of claims) this.#claims.fail(claim, error);
    }
    return kept;
  }

  answered(messageId: string, fate: Fate): void {
    const claim = this.#claims.outside(messageId);
    if (claim === undefined) this.#fates.note(messageId, fate);
    // What once reached the sender did, whatever becomes of its repetition.
    else if (claim.fate !== 'sent') claim.fate = fate;
  }

  async settled(): Promise<void> {
    if (this.#again !== undefined && !this.#isTaking) return;
    await Promise.all([...this.#outside].map(({ over }) => over.promise));
  }

  async start(): Promise<void> {
    const { store, logger } = this.#options;
    const mark = await store.messages.arrivedUpTo();
    const found = await store.journal.read(mark);
    this.#last = this.#journalled = found.at(-1)?.number ?? mark;
    this.#marked = mark;
    for (const { number, content } of found) {
      const messages = deserialize(content) as readonly ToKeep[];
      // What the journal failed to write may be in it all the same, and have been sent again.
      const claims = messages.map((message) => this.#claims.claim(message)).filter(({ isNew }) => isNew);
      for (const claim of claims) claim.resolve();
      this.#add({ number, claims, journal: 'there' });
    }
    if (found.length === 0) return;
    logger.info({ arrivals: found.length }, 'what came just before the engine ended is taken in');
    await this.#take(atOnce);
  }

  async stop(): Promise<void> {
    if (this.#waiting.length > 0) await this.#take(atOnce);
    await this.settled();
    this.#forgetFailure();
    await this.#fates.flush();
  }

  #arrive(claims: readonly Claim[]): Promise<void> {
    const { store } = this.#options;
    const arrived = this.#add({ number: (this.#last += 1), claims, journal: 'not-asked' });
    const canBeJournalled = arrived.bytes <= mostJournalled && this.#bytes <= mostWaiting;
    if (!canBeJournalled) this.#ask(atOnce);
    else if (store.isHeldUp() || this.#again !== undefined) this.#write(arrived);
    else {
      arrived.timer = setTimeout(() => this.#write(arrived), patienceMs);
      this.#ask(atOnce);
    }
    return arrived.durable.promise;
  }

  #add(given: Pick<Arrived, 'number' | 'claims' | 'journal'>): Arrived {
    const arrived = arrivedOf(given);
    this.#waiting.push(arrived);
    this.#outside.add(arrived);
    this.#bytes += arrived.bytes;
    return arrived;
  }

  #write(arrived: Arrived): void {
    arrived.journal = 'writing';
    this.#journalled = Math.max(this.#journalled, arrived.number);
    const content = serialize(arrived.claims.map(({ message }) => message));
    this.#options.store.journal.append({ number: arrived.number, content }).then(
      () => {
        arrived.journal = 'there';
        arrived.durable.resolve(undefined);
      },
      (cause: unknown) => {
        // Then it is as if it had not been asked: what the store says of this arrival counts.
        arrived.journal = 'failed';
        this.#options.logger.error({}, 'the journal of arrivals could not be written', cause);
        if (this.#outside.has(arrived)) this.#ask(atOnce);
      },
    );
    this.#ask(whenItSuits);
  }

  /**
   * What comes while something is taken in is taken in after it, however that ends: so the order holds. A store that has just failed is
   * tried again in its time, and not with all that waits for each that comes.
   */
  #ask(choice: TransactionChoice): void {
    if (this.#isTaking || this.#again !== undefined || this.#asked.has(choice)) return;
    this.#asked.add(choice);
    void this.#take(choice);
  }

  /** Brings all that waits into the store. Never rejects. */
  async #take(choice: TransactionChoice): Promise<void> {
    let taken: readonly Arrived[] | undefined;
    try {
      const mark = await this.#fates.writtenAlongWith(async (messages) => {
        this.#asked.delete(choice);
        taken = this.#takeWaiting();
        return taken === undefined ? undefined : this.#bringIn(taken, messages);
      }, choice);
      if (taken !== undefined) this.#areIn(taken, mark);
    } catch (error) {
      this.#asked.delete(choice);
      // Also where the transaction did not even begin: those who wait for it hear so.
      taken ??= this.#takeWaiting();
      if (taken !== undefined) this.#giveBack(taken, error);
    }
    if (taken !== undefined) this.#goOn();
  }

  /** Undefined while others are taken in. */
  #takeWaiting(): readonly Arrived[] | undefined {
    if (this.#isTaking) return undefined;
    this.#isTaking = true;
    return this.#waiting.splice(0);
  }

  /** Answers up to which number the store says then that it has all; undefined where the journal has nothing new. */
  async #bringIn(arrivals: readonly Arrived[], messages: MessageWriter): Promise<number | undefined> {
    const mark = this.#journalled > this.#marked ? this.#last : undefined;
    for (const arrived of arrivals) await bringIn(arrived, messages);
    if (mark !== undefined) await messages.markArrived(mark);
    return mark;
  }

  #areIn(arrivals: readonly Arrived[], mark: number | undefined): void {
    this.#forgetFailure();
    for (const arrived of arrivals) this.#isIn(arrived);
    this.#tell(arrivals);
    if (mark === undefined) return;
    this.#marked = mark;
    this.#options.store.journal.forget(mark);
  }

  /** With what has come meanwhile; what was written to the journal while it was taken in is marked then. */
  #goOn(): void {
    this.#isTaking = false;
    if (this.#waiting.some(isOnlyHere)) this.#ask(atOnce);
    else if (this.#journalled > this.#marked) this.#ask(whenItSuits);
  }

  #isIn(arrived: Arrived): void {
    arrived.durable.resolve(undefined);
    this.#leave(arrived);
    for (const claim of arrived.claims) {
      const { fate, fateInStore } = claim;
      this.#claims.release(claim);
      if (fate !== undefined && fate !== fateInStore) this.#fates.note(claim.message.record.id, fate);
    }
  }

  #leave(arrived: Arrived): void {
    clearTimeout(arrived.timer);
    this.#outside.delete(arrived);
    this.#bytes -= arrived.bytes;
    arrived.over.resolve(undefined);
  }

  #tell(taken: readonly Arrived[]): void {
    const messages = taken.flatMap(({ claims }) => claims.map(({ message }) => message));
    for (const channel of new Set(messages.map(({ record }) => record.channel))) this.#options.taken(channel);
    if (messages.some(({ follow }) => follow !== undefined)) this.#options.enqueued();
  }

  /** What is in the journal, or may be soon, is tried again; of the rest the sender hears that it was not kept. */
  #giveBack(arrivals: readonly Arrived[], error: unknown): void {
    for (const arrived of arrivals.filter(isOnlyHere)) {
      this.#leave(arrived);
      arrived.durable.reject(error);
    }
    const others = arrivals.filter((arrived) => !isOnlyHere(arrived));
    this.#waiting.unshift(...others);
    if (others.length > 0 || this.#journalled > this.#marked) this.#tryAgain();
  }

  #tryAgain(): void {
    const { logger, againMs } = this.#options;
    const facts = { arrivals: this.#waiting.length, afterMs: againMs };
    logger.warn(facts, 'the store could not take in what the journal holds; tried again');
    for (const { over } of this.#waiting) over.resolve(undefined);
    this.#again ??= setTimeout(() => {
      this.#again = undefined;
      this.#ask(this.#waiting.some(isOnlyHere) ? atOnce : whenItSuits);
    }, againMs).unref();
  }

  #forgetFailure(): void {
    clearTimeout(this.#again);
    this.#again = undefined;
  }
}
