// A sender as a careful device is one: the next message only after the last was accepted, the same again when no answer came.
import { codeOf, MllpClient } from '../mllp-client.ts';
import { pause, type Chance } from './chance.ts';

/** A result of two values for the sender's own patient; `S3-17` is the 17th of sender 3. */
export const resultOf = (sender: number, count: number): string => {
  const control = `S${sender}-${count}`;
  return [
    `MSH|^~\\&|BC-5380|Mindray|||20260112083000||ORU^R01|${control}|P|2.3.1||||||UNICODE`,
    `PID|1||MRN-${sender}^^^^MR||Test^Patient||19870412000000|Female`,
    `OBR|1||${control}|00001^Automated Count^99MRC|||20260112083000|||||||||||||||||HM||||||||Technician`,
    'OBX|1|NM|6690-2^WBC^LN||5.10|10*3/uL|4.00-10.00|N|||F',
    'OBX|2|NM|718-7^HGB^LN||12.1|g/dL|11.0-16.0|N|||F',
    '',
  ].join('\r');
};

const answerLimitMs = 10_000;
const pauseMs = 100;

export class Sender {
  readonly name: number;
  /** All up to this one are accepted. */
  accepted = 0;
  /** It was told to stop, and has. */
  isIdle = false;
  sent = 0;
  again = 0;
  /** Answers other than an acceptance. */
  readonly refused: Record<string, number> = {};
  readonly #portNow: () => number | undefined;
  readonly #chance: Chance;
  readonly #pauseMs: number;
  #client: MllpClient | undefined;
  #waitsFor = '';
  #isStopped = false;

  constructor(name: number, portNow: () => number | undefined, chance: Chance, pauseBetweenMs: number) {
    this.name = name;
    this.#portNow = portNow;
    this.#chance = chance;
    this.#pauseMs = pauseBetweenMs;
  }

  async run(): Promise<void> {
    while (!this.#isStopped) {
      await this.#deliver(resultOf(this.name, this.accepted + 1));
      await pause(this.#pauseMs);
    }
    this.#client?.close();
    this.isIdle = true;
  }

  /** After the message under way. */
  stop(): void {
    this.#isStopped = true;
  }

  /** For whoever asks why it is not idle. */
  tells(): string {
    return `sender ${this.name} ${this.isIdle ? 'is idle' : `waits for ${this.#waitsFor}`}, refused ${JSON.stringify(this.refused)}`;
  }

  async #deliver(message: string): Promise<void> {
    for (let tries = 0; ;) {
      const port = this.#portNow();
      const code = port === undefined ? undefined : await this.#tryOnce(message, port);
      if (port !== undefined) {
        this.sent += 1;
        if (tries > 0) this.again += 1;
        tries += 1;
      }
      if (code === 'AA') {
        this.accepted += 1;
        return;
      }
      if (code !== undefined) this.refused[code] = (this.refused[code] ?? 0) + 1;
      await pause(pauseMs);
    }
  }

  /** MSA-1; undefined when no answer came. */
  async #tryOnce(message: string, port: number): Promise<string | undefined> {
    this.#client ??= new MllpClient(port);
    const client = this.#client;
    this.#waitsFor = `an answer at ${port} to ${message.split('|')[9]}, try ${this.sent}`;
    const late = setTimeout(() => client.close(), answerLimitMs);
    // Now and then the line is cut after the message went out: it may be kept, and its answer is lost.
    const cut = this.#chance.percent(2)
      ? setTimeout(() => client.close(), this.#chance.between(0, 10))
      : undefined;
    try {
      return codeOf(await client.send(message));
    } catch {
      client.close();
      this.#client = undefined;
      return undefined;
    } finally {
      clearTimeout(late);
      clearTimeout(cut);
    }
  }
}
