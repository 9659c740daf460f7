// Sends messages over MLLP and tells what became of them: one at a time, each matched with its own acknowledgement.
import type { ConnectionOptions } from 'node:tls';
import type { Logger, RetryClass, Sender, SendResult } from '../../engine/index.ts';
import { malformed, misdirected, readAnswer, sentOf, verdictOn, type Sent, type Verdict } from './answer.ts';
import { frame, FrameDecoder } from './framing.ts';
import { Link } from './link.ts';

export interface MllpSenderOptions {
  readonly host: string;
  readonly port: number;
  readonly logger: Logger;
  /** From 0 to 1: spreads reconnects. */
  readonly random: () => number;
  /** TLS, and our certificate where the receiver asks for one: asked at each connection, since it may be renewed. Default: plain TCP. */
  readonly tls?: () => ConnectionOptions;
  /** Character set of acknowledgements that do not say. */
  readonly charset?: string;
  /** Which acknowledgement ends a delivery: the first (default), or the application's (AA, AE, AR) after a commit (CA). */
  readonly until?: 'first' | 'application';
  /** Default 10 s. */
  readonly connectTimeoutMs?: number;
  /** How long to wait for each acknowledgement. Default 30 s. */
  readonly answerTimeoutMs?: number;
  /** Default 30 s. */
  readonly keepAliveMs?: number;
  /** Between attempts to connect while nothing is to be sent: a send tries at once. Default 0.5 s to 60 s. */
  readonly pauseMs?: { readonly first: number; readonly longest: number };
  /** How much of an acknowledgement is kept with its delivery. Default 64 KiB. */
  readonly keptBytes?: number;
}

export interface MllpSender extends Sender {
  /** Whether there is a connection, and how many attempts have failed since the last. */
  state(): { readonly connected: boolean; readonly failures: number };
}

/** Largest acknowledgement that is read. */
const maxAnswerBytes = 4 * 1024 * 1024;
/** How many messages are remembered whose acknowledgements may still come, late or twice. */
const remembered = 1000;
/** Within this time of a write the end of a connection was on its way already, as a rule. */
const crossingMs = 1000;
/** Time-outs in a row after which the connection is taken for dead. */
const patience = 2;

const reasons = {
  'hl7-no-connection': 'no connection to the receiver; see that it is on and reachable',
  'hl7-connection-lost': 'the connection was lost before the acknowledgement; the message will be sent again',
  'hl7-answer-timeout': 'no acknowledgement came in time; the message will be sent again',
  'hl7-no-control-id':
    'the message has no control id (MSH-10), so that its acknowledgement could not be known',
  'hl7-sender-closed': 'the engine is stopping; the message will be sent again',
} as const;

/** As it is kept with the delivery. */
const responseOf = (raw: Buffer, keptBytes = 64 * 1024): NonNullable<SendResult['response']> => ({
  contentType: 'application/hl7-v2',
  bytes: raw.subarray(0, keptBytes),
  isCut: raw.length > keptBytes,
});

const failed = (code: keyof typeof reasons, retry: RetryClass): SendResult => ({
  state: 'failed',
  retry,
  reason: { code, text: reasons[code] },
});

/**
 * Every failure of the network is `transient`: the same message, with the same control id, is to be sent again, and its receiver knows it
 * by that. Only what was acknowledged under its own control id is `done`.
 */
export function createMllpSender(options: MllpSenderOptions): MllpSender {
  return new MllpClient(options);
}

/** The delivery under way. */
interface Exchange extends Sent {
  readonly settle: (result: SendResult | 'too-late') => void;
  /** The receiver had answered an earlier message on this connection: it may close it at any time. */
  readonly isReused: boolean;
  readonly begunAt: number;
  /** The whole frame was given to the network. */
  isWritten: boolean;
  /** Something came back since. */
  isHeard: boolean;
}

class MllpClient implements MllpSender {
  readonly #options: MllpSenderOptions;
  readonly #answerTimeoutMs: number;
  readonly #connectTimeoutMs: number;
  readonly #link: Link;
  #decoder = new FrameDecoder({ maxFrameBytes: maxAnswerBytes });
  #current: Exchange | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastSend: Promise<unknown> = Promise.resolve();
  /** Control ids of earlier messages, oldest first: their late acknowledgements must not be taken for those of later messages. */
  readonly #earlier = new Set<string>();
  #timeouts = 0;
  #closed = false;

  constructor(options: MllpSenderOptions) {
    this.#options = options;
    this.#answerTimeoutMs = options.answerTimeoutMs ?? 30_000;
    this.#connectTimeoutMs = options.connectTimeoutMs ?? 10_000;
    this.#link = this.#linkOf(options);
  }

  state(): { readonly connected: boolean; readonly failures: number } {
    return { connected: this.#link.connected, failures: this.#link.failures };
  }

  /** Calls that overlap (of different lanes) take turns. */
  send(delivery: Parameters<Sender['send']>[0]): Promise<SendResult> {
    const result = this.#lastSend.then(() => this.#deliver(delivery.payload));
    this.#lastSend = result;
    return result;
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (!this.#link.connected) await this.#link.close();
    await this.#lastSend;
    await this.#link.close();
  }

  #linkOf(options: MllpSenderOptions): Link {
    return new Link({
      pauseMs: { first: 500, longest: 60_000 },
      keepAliveMs: 30_000,
      ...options,
      connectTimeoutMs: this.#connectTimeoutMs,
      onData: (chunk) => this.#read(chunk),
      onLost: () => this.#lost(),
    });
  }

  async #deliver(payload: Uint8Array): Promise<SendResult> {
    const { controlId, kind } = sentOf(payload, this.#options.charset);
    if (controlId === '') return failed('hl7-no-control-id', 'permanent');
    if (this.#closed) return failed('hl7-sender-closed', 'transient');
    const first = await this.#exchange({ controlId, kind }, payload);
    const result = first === 'too-late' ? await this.#exchange({ controlId, kind }, payload) : first;
    return result === 'too-late' ? failed('hl7-connection-lost', 'transient') : result;
  }

  async #exchange(sent: Sent, payload: Uint8Array): Promise<SendResult | 'too-late'> {
    const socket = await this.#link.attempt(this.#connectTimeoutMs);
    if (socket === undefined) return failed('hl7-no-connection', 'transient');
    return new Promise((resolve) => {
      const exchange: Exchange = {
        ...{ ...sent, settle: resolve, isReused: this.#link.hasSpoken },
        ...{ begunAt: performance.now(), isWritten: false, isHeard: false },
      };
      this.#current = exchange;
      this.#await();
      socket.write(frame(payload), (error) => {
        exchange.isWritten = error === undefined || error === null;
      });
    });
  }

  #await(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#timedOut(), this.#answerTimeoutMs);
  }

  #settle(result: SendResult | 'too-late'): void {
    clearTimeout(this.#timer);
    const current = this.#current;
    this.#current = undefined;
    if (current === undefined) return;
    if (result !== 'too-late') this.#remember(current.controlId);
    current.settle(result);
  }

  #remember(controlId: string): void {
    this.#earlier.add(controlId);
    const [oldest] = this.#earlier;
    if (this.#earlier.size > remembered && oldest !== undefined) this.#earlier.delete(oldest);
  }

  #read(chunk: Buffer): void {
    if (this.#current !== undefined) this.#current.isHeard = true;
    for (const event of this.#decoder.push(chunk)) {
      if (event.kind === 'message') this.#answered(event.bytes);
      else if (event.kind === 'oversize') this.#link.renew();
    }
  }

  #answered(raw: Buffer): void {
    const answer = readAnswer(raw, this.#options.charset);
    const current = this.#current;
    if (
      answer !== undefined &&
      answer.controlId !== current?.controlId &&
      this.#earlier.has(answer.controlId)
    ) {
      this.#options.logger.info({ code: answer.code }, 'an acknowledgement came too late and was left aside');
    } else if (current === undefined) {
      this.#options.logger.warn({ bytes: raw.length }, 'the receiver sent something that answers nothing');
    } else if (answer === undefined) {
      this.#conclude(malformed, raw);
    } else {
      const isOurs = answer.controlId === current.controlId;
      const verdict = isOurs ? verdictOn(answer, current) : misdirected;
      this.#conclude(verdict, raw, isOurs ? answer.code : undefined);
    }
  }

  /** `code`: of an answer to this very message. */
  #conclude(verdict: Verdict, raw: Buffer, code?: string): void {
    this.#timeouts = 0;
    const answer = {
      ...(code === undefined ? {} : { code }),
      response: responseOf(raw, this.#options.keptBytes),
    };
    if (verdict.kind === 'refused') {
      this.#settle({ state: 'failed', retry: verdict.retry, reason: verdict.reason, ...answer });
    } else if (verdict.level === 'commit' && this.#options.until === 'application') {
      this.#await();
    } else {
      this.#settle({ state: 'done', ...answer });
    }
  }

  #timedOut(): void {
    this.#timeouts += 1;
    this.#settle(failed('hl7-answer-timeout', 'transient'));
    if (this.#timeouts < patience) return;
    this.#timeouts = 0;
    this.#link.renew();
  }

  #lost(): void {
    this.#decoder = new FrameDecoder({ maxFrameBytes: maxAnswerBytes });
    const cameTooLate = this.#current !== undefined && cameTooLateFor(this.#current);
    this.#settle(cameTooLate ? 'too-late' : failed('hl7-connection-lost', 'transient'));
  }
}

/**
 * Whether a message met the end of a connection that its receiver was closing, so that it is sent once more at once, on a new one. Many
 * receivers close after each answer; their end and our next message cross. A frame that was not wholly written cannot have been taken,
 * since its end was missing. One that was written may have been, whatever TCP says: a peer that closes before it reads and one that dies
 * after it has read look the same. It is sent again all the same, as after any lost connection, under its own control id, by which the
 * receiver knows it; what is spared is the wait. A receiver that has begun to answer, or that went away long after the write (while it worked
 * on the message), is not one that was closing; nor is one that closes a new connection.
 */
const cameTooLateFor = ({ isReused, isHeard, isWritten, begunAt }: Exchange): boolean =>
  isReused && !isHeard && (!isWritten || performance.now() - begunAt < crossingMs);
