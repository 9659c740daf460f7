// A simulated analyser: runs a sample every so often, sends the result, waits for its acknowledgement as a real one does, and counts.
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Clock, Logger } from '../../../engine/index.ts';
import { readAnswer } from '../answer.ts';
import { frame, FrameDecoder } from '../framing.ts';
import { Link } from '../link.ts';
import {
  loadMessageBuilder,
  patients,
  type AnalyserKind,
  type MessageBuilder,
  type Run,
  type SimulatedPatient,
} from './messages.ts';

/** What a bad line or a bad device does. */
export interface AnalyserFaults {
  /** Writes go out in pieces of so many bytes. */
  readonly splitBytes?: number;
  /** Pause between those pieces. */
  readonly slowMs?: number;
  /** Breaks the connection off before the acknowledgement, once in so many messages. */
  readonly dropAckEvery?: number;
  /** Noise before each message. */
  readonly garbage?: boolean;
  /** Sends one in so many messages twice, with the same control id. */
  readonly duplicateEvery?: number;
}

export interface AnalyserOptions {
  readonly host: string;
  readonly port: number;
  readonly kind: AnalyserKind;
  /** Between two samples. */
  readonly everyMs: number;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly logger: Logger;
  /**
   * The sample that the operator puts in next; undefined: there is none now. Without it the samples carry numbers that nobody has
   * ordered. Must not reject.
   */
  readonly nextSample?: () => Promise<Sample | undefined>;
  readonly faults?: AnalyserFaults;
  /** Default 10 s, as a Mindray BC waits: then it gives the result up and goes on. */
  readonly answerTimeoutMs?: number;
  readonly onSent?: (sent: SentResult) => void;
}

export interface Sample {
  /** The barcode on its container. */
  readonly sampleId: string;
  readonly patient: SimulatedPatient;
}

export interface SentResult {
  readonly controlId: string;
  readonly sampleId: string;
  /** MSA-1, or `none` when no acknowledgement of this message came in time. */
  readonly answer: string;
}

export interface Analyser {
  start(): Promise<void>;
  /** Waits for the message under way. */
  stop(): Promise<void>;
  counts(): {
    readonly sent: number;
    readonly accepted: number;
    readonly refused: number;
    readonly unanswered: number;
  };
}

export function createAnalyser(options: AnalyserOptions): Analyser {
  return new SimulatedAnalyser(options);
}

class SimulatedAnalyser implements Analyser {
  readonly #options: AnalyserOptions;
  readonly #link: Link;
  readonly #stopping = new AbortController();
  readonly #counts = { sent: 0, accepted: 0, refused: 0, unanswered: 0 };
  #decoder = new FrameDecoder({ maxFrameBytes: 1_000_000 });
  #onAnswer: (controlId: string, code: string) => void = () => undefined;
  #onLost: () => void = () => undefined;
  #running: Promise<void> = Promise.resolve();
  #started = 0;

  constructor(options: AnalyserOptions) {
    this.#options = options;
    this.#link = new Link({
      ...options,
      connectTimeoutMs: 10_000,
      keepAliveMs: 30_000,
      pauseMs: { first: 200, longest: 5000 },
      onData: (chunk) => this.#read(chunk),
      onLost: () => {
        this.#decoder = new FrameDecoder({ maxFrameBytes: 1_000_000 });
        this.#onLost();
      },
    });
  }

  async start(): Promise<void> {
    const build = await loadMessageBuilder();
    this.#started = this.#options.clock.now();
    this.#running = this.#run(build);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    if (!this.#link.connected) await this.#link.close();
    await this.#running;
    await this.#link.close();
  }

  counts(): ReturnType<Analyser['counts']> {
    return { ...this.#counts };
  }

  async #run(build: MessageBuilder): Promise<void> {
    const { everyMs } = this.#options;
    for (let number = 1; !this.#stopping.signal.aborted; number += 1) {
      await this.#one(build, number);
      // Rejects when the analyser is stopped, which ends the loop.
      await pause(everyMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
  }

  async #one(build: MessageBuilder, number: number): Promise<void> {
    const sample = await (this.#options.nextSample?.() ?? this.#anySample(number));
    if (sample === undefined) return;
    const run = { ...sample, ...this.#next(number) };
    const message = build(this.#options.kind, run);
    const copies = isEvery(number, this.#options.faults?.duplicateEvery) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const answer = await this.#send(message, run.controlId, number);
      this.#count(answer);
      this.#options.onSent?.({ controlId: run.controlId, sampleId: run.sampleId, answer });
    }
  }

  /** Control ids and sample ids differ between two starts, as they do for a real device. */
  #next(number: number): Omit<Run, keyof Sample> {
    const { clock, random } = this.#options;
    return { controlId: `${this.#startName()}-${number}`, at: clock.now(), random };
  }

  #anySample(number: number): Sample {
    const patient = patients[(number - 1) % patients.length] ?? patients[0];
    if (patient === undefined) throw new Error('there are no patients to simulate');
    return { sampleId: `S${this.#startName()}${String(number).padStart(4, '0')}`.toUpperCase(), patient };
  }

  #startName(): string {
    return Math.floor(this.#started / 1000).toString(36);
  }

  async #send(message: Buffer, controlId: string, number: number): Promise<string> {
    const timeoutMs = this.#options.answerTimeoutMs ?? 10_000;
    const socket = await this.#link.ready(timeoutMs);
    if (socket === undefined) return 'none';
    const answer = this.#answerTo(controlId, timeoutMs);
    await this.#write(socket, message);
    if (isEvery(number, this.#options.faults?.dropAckEvery)) this.#link.renew();
    return answer;
  }

  /** The acknowledgement of this message; those of others are passed over. */
  #answerTo(controlId: string, timeoutMs: number): Promise<string> {
    return new Promise((resolve) => {
      const settle = (code: string): void => {
        clearTimeout(timer);
        resolve(code);
      };
      const timer = setTimeout(() => settle('none'), timeoutMs);
      this.#onLost = () => settle('none');
      this.#onAnswer = (answered, code) => {
        if (answered === controlId) settle(code);
      };
    });
  }

  async #write(socket: Socket, message: Buffer): Promise<void> {
    const { splitBytes, slowMs, garbage } = this.#options.faults ?? {};
    const noise = garbage === true ? Buffer.from('\r\n\0noise') : Buffer.alloc(0);
    const bytes = Buffer.concat([noise, frame(message)]);
    const size = splitBytes ?? bytes.length;
    for (let at = 0; at < bytes.length; at += size) {
      socket.write(bytes.subarray(at, at + size));
      if (slowMs !== undefined) await pause(slowMs);
    }
  }

  #read(chunk: Buffer): void {
    for (const event of this.#decoder.push(chunk)) {
      const answer = event.kind === 'message' ? readAnswer(event.bytes, undefined) : undefined;
      if (answer !== undefined) this.#onAnswer(answer.controlId, answer.code);
    }
  }

  #count(answer: string): void {
    this.#counts.sent += 1;
    if (answer === 'none') this.#counts.unanswered += 1;
    else if (answer === 'AA' || answer === 'CA') this.#counts.accepted += 1;
    else this.#counts.refused += 1;
  }
}

const isEvery = (number: number, every: number | undefined): boolean =>
  every !== undefined && number % every === 0;
