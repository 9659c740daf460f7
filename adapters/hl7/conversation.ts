// One connection of the listener: messages go to the inbox as they come, several at a time; answers go back in the order in which the
// messages came.
import type { Socket } from 'node:net';
import type { Clock, Ids, Inbox, Logger, Receipt } from '../../engine/index.ts';
import { hl7Format } from './format.ts';
import { frame, FrameDecoder, type FrameEvent } from './framing.ts';

export interface ConversationOptions {
  readonly inbox: Inbox;
  readonly channel: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly charset?: string;
  readonly maxFrameBytes: number;
  readonly requireEndOfData?: boolean;
  readonly maxInFlight: number;
  readonly idleTimeoutMs?: number;
  readonly stalledTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly drainTimeoutMs: number;
  /** Called when more of a message has come that has not ended. */
  readonly tookIn: () => void;
}

type Outcome = Parameters<Receipt['answered']>[0];

/** What is to be sent back for one message. */
type Answer = Pick<Receipt, 'answers' | 'answered'>;

/** How long a peer that was told goodbye may take to close. */
const lingerMs = 1000;

const notKept = {
  code: 'unavailable',
  text: 'the message could not be kept; send it again',
} as const;
const tooMuch = {
  code: 'unavailable',
  text: 'too much is being sent at once by all connections; send the message again later',
} as const;
const tooLarge = { code: 'too-large', text: 'the message is larger than this channel takes' } as const;

export class Conversation {
  readonly #socket: Socket;
  readonly #options: ConversationOptions;
  readonly #logger: Logger;
  readonly #decoder: FrameDecoder;
  readonly #peer: string;
  /** Cut out, not yet handed to the inbox. */
  readonly #waiting: FrameEvent[] = [];
  /** Handed to the inbox and not yet answered. */
  #inFlight = 0;
  /** Settles when the answer to the last message so far has been given to the socket. */
  #lastAnswer: Promise<void> = Promise.resolve();
  /** Bytes of what is in flight. */
  #inFlightBytes = 0;
  /** Nothing more is read: the peer has ended, a frame was refused, or the listener stops. */
  #finishing = false;

  constructor(socket: Socket, options: ConversationOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#peer = `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`;
    this.#logger = options.logger.child({ channel: options.channel, peer: this.#peer });
    this.#decoder = new FrameDecoder(options);
    this.#listen();
  }

  /** Bytes that have come of a message that has not ended. */
  get unfinished(): number {
    return this.#decoder.held;
  }

  /** Lets go of the message that has not ended, says so to its sender, and closes. */
  giveUp(): void {
    this.#logger.warn({ bytes: this.unfinished }, 'refused a message: too much is unfinished at once');
    const head = this.#decoder.abandon();
    this.#inTurn(Promise.resolve(this.#refusal(head, 'AE', tooMuch)), 0);
    this.#finish();
  }

  /** Answers what was received, then closes; after the drain time-out it closes all the same. */
  stop(): Promise<void> {
    const { drainTimeoutMs } = this.#options;
    const closed = new Promise<void>((resolve) => {
      if (this.#socket.closed) resolve();
      else this.#socket.once('close', () => resolve());
    });
    const timer = setTimeout(() => this.#socket.destroy(), drainTimeoutMs);
    this.#finish();
    return closed.finally(() => clearTimeout(timer));
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('data', (chunk: Buffer) => this.#take(this.#decoder.push(chunk)));
    socket.on('end', () => this.#finish());
    socket.on('timeout', () => this.#timedOut());
    socket.on('error', (error) => this.#logger.info({ cause: error.message }, 'connection lost'));
    socket.on('close', () => this.#take(this.#decoder.end()));
    this.#watch();
  }

  #take(events: readonly FrameEvent[]): void {
    this.#waiting.push(...events);
    this.#watch();
    this.#pump();
    if (this.#decoder.held > 0) this.#options.tookIn();
  }

  /** Starts as much as may be under way; reads on only when nothing is left waiting. */
  #pump(): void {
    while (!this.#isBusy()) {
      const event = this.#waiting.shift();
      if (event === undefined) break;
      this.#handle(event);
    }
    if (this.#isBusy()) this.#socket.pause();
    else if (!this.#finishing) this.#socket.resume();
    else if (this.#inFlight === 0) this.#sayGoodbye();
  }

  /** Many messages, or few large ones. */
  #isBusy(): boolean {
    const { maxInFlight, maxFrameBytes } = this.#options;
    return this.#inFlight >= maxInFlight || this.#inFlightBytes >= maxFrameBytes;
  }

  /**
   * Ends our side and lets the peer end its own: closing at once while bytes of the peer are unread would make TCP throw away the last
   * answer. What still comes is not read.
   */
  #sayGoodbye(): void {
    if (this.#socket.writableEnded || this.#socket.destroyed) return;
    this.#socket.end();
    this.#socket.removeAllListeners('data');
    this.#socket.resume();
    const timer = setTimeout(() => this.#socket.destroy(), lingerMs);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  #handle(event: FrameEvent): void {
    switch (event.kind) {
      case 'message':
        this.#inTurn(this.#receive(event.bytes), event.bytes.length);
        break;
      case 'oversize':
        this.#logger.warn({ limit: this.#options.maxFrameBytes }, 'refused a message: too large');
        this.#inTurn(Promise.resolve(this.#refusal(event.head, 'AR', tooLarge)), 0);
        this.#finish();
        break;
      case 'broken':
        this.#logger.warn(
          { cause: event.cause, bytes: event.size },
          'a message was cut off; it was not acknowledged',
        );
        break;
      default:
        event satisfies never;
    }
  }

  /** The inbox's answers, or AE when it could not keep the message: never a promise that is not kept. */
  async #receive(raw: Buffer): Promise<Answer> {
    const { inbox, channel, charset } = this.#options;
    const arrival = { channel, peer: this.#peer, mediaType: hl7Format.mediaTypes[0] ?? '', raw };
    try {
      return await inbox.receive(charset === undefined ? arrival : { ...arrival, charset });
    } catch (error) {
      this.#logger.error({ bytes: raw.length }, 'a message could not be kept', error);
      return this.#refusal(raw, 'AE', notKept);
    }
  }

  /** An answer is never answered; all others are. */
  #refusal(raw: Buffer, code: 'AE' | 'AR', reason: { readonly code: string; readonly text: string }): Answer {
    const { clock, ids, charset } = this.#options;
    const owed = !hl7Format.identify(raw, charset).isAnswer;
    const render = (): Uint8Array =>
      hl7Format.renderAcknowledgement(raw, { code, reason }, clock.now(), ids.next());
    return { answers: owed ? [render()] : [], answered: () => undefined };
  }

  #inTurn(coming: Promise<Answer>, bytes: number): void {
    this.#inFlight += 1;
    this.#inFlightBytes += bytes;
    const before = this.#lastAnswer;
    this.#lastAnswer = Promise.all([coming, before]).then(([answer]) => this.#send(answer, bytes));
  }

  #send({ answers, answered }: Answer, bytes: number): void {
    if (answers.length === 0) {
      this.#next(bytes);
      return;
    }
    const settle = (outcome: Outcome): void => {
      this.#tell(answered, outcome);
      this.#next(bytes);
    };
    if (this.#socket.writable) this.#write(Buffer.concat(answers.map(frame)), settle);
    else settle('undelivered');
  }

  #next(bytes: number): void {
    this.#inFlight -= 1;
    this.#inFlightBytes -= bytes;
    this.#pump();
  }

  #write(bytes: Buffer, settle: (outcome: Outcome) => void): void {
    const timer = setTimeout(() => {
      this.#logger.warn({}, 'closed the connection: its peer does not take answers');
      this.#socket.destroy();
    }, this.#options.writeTimeoutMs);
    this.#socket.write(bytes, (error) => {
      clearTimeout(timer);
      settle(error ? 'undelivered' : 'sent');
    });
  }

  #tell(answered: Answer['answered'], outcome: Outcome): void {
    try {
      answered(outcome);
    } catch (error) {
      this.#logger.error({ outcome }, 'the fate of an answer could not be noted', error);
    }
  }

  #finish(): void {
    if (this.#finishing) return;
    this.#finishing = true;
    this.#socket.pause();
    this.#pump();
  }

  /** Silence is looked at differently within a message and between messages. */
  #watch(): void {
    const { idleTimeoutMs, stalledTimeoutMs } = this.#options;
    this.#socket.setTimeout(this.#decoder.midFrame ? stalledTimeoutMs : (idleTimeoutMs ?? 0));
  }

  #timedOut(): void {
    if (this.#inFlight > 0) {
      this.#watch();
      return;
    }
    this.#logger.info({ midMessage: this.#decoder.midFrame }, 'closed a silent connection');
    this.#socket.destroy();
  }
}
