// A simulated receiver, such as a ward system or a laboratory system: takes messages over MLLP and acknowledges them, as well or as badly
// as it is told.
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { AcknowledgementCode, Clock, Ids } from '../../../engine/index.ts';
import { hl7Format } from '../format.ts';
import { frame, FrameDecoder } from '../framing.ts';

/** How one message is answered. */
export type Behaviour =
  /** Codes that are sent one after the other; `after` ms, 0 when left out. */
  | { readonly answer: readonly AcknowledgementCode[]; readonly afterMs?: number }
  /** Acknowledges another control id than that of the message. */
  | { readonly answerTo: string; readonly then?: AcknowledgementCode }
  /** Sends something that is no acknowledgement. */
  | { readonly say: string }
  | 'silent'
  | 'close';

export interface WardSystemOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly ids: Ids;
  /** For the first messages, one each; all others are answered AA. */
  readonly behaviours?: readonly Behaviour[];
  readonly onMessage?: (raw: Buffer) => void;
  readonly tls?: TlsOptions;
}

export interface WardSystem {
  start(): Promise<{ readonly port: number }>;
  stop(): Promise<void>;
  /** Cuts all connections off. */
  hangUp(): void;
  /** Control ids, in order of arrival. */
  received(): readonly string[];
  connections(): number;
}

export function createWardSystem(options: WardSystemOptions): WardSystem {
  return new SimulatedWardSystem(options);
}

class SimulatedWardSystem implements WardSystem {
  readonly #options: WardSystemOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #received: string[] = [];

  constructor(options: WardSystemOptions) {
    this.#options = options;
    const take = (socket: Socket): void => this.#take(socket);
    this.#server = options.tls === undefined ? createServer(take) : createTlsServer(options.tls, take);
    // A failed handshake is the peer's to report.
    this.#server.on('tlsClientError', () => undefined);
  }

  start(): Promise<{ readonly port: number }> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port, this.#options.host, () =>
        resolve({ port: (this.#server.address() as AddressInfo).port }),
      );
    });
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.hangUp();
    await closed;
  }

  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  received(): readonly string[] {
    return [...this.#received];
  }

  connections(): number {
    return this.#sockets.size;
  }

  #take(socket: Socket): void {
    const decoder = new FrameDecoder({ maxFrameBytes: 64 * 1024 * 1024 });
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    // A peer that goes away is what is simulated here.
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      for (const event of decoder.push(chunk)) {
        if (event.kind === 'message') void this.#answer(socket, event.bytes);
      }
    });
  }

  async #answer(socket: Socket, raw: Buffer): Promise<void> {
    const behaviour = this.#options.behaviours?.[this.#received.length] ?? { answer: ['AA' as const] };
    this.#received.push(hl7Format.identify(raw).controlId);
    this.#options.onMessage?.(raw);
    if (behaviour === 'silent') return;
    if (behaviour === 'close') socket.destroy();
    else if ('say' in behaviour) socket.write(frame(Buffer.from(behaviour.say)));
    else if ('answerTo' in behaviour) this.#misdirect(socket, raw, behaviour.answerTo, behaviour.then);
    else await this.#acknowledge(socket, raw, behaviour.answer, behaviour.afterMs ?? 0);
  }

  async #acknowledge(
    socket: Socket,
    raw: Buffer,
    codes: readonly AcknowledgementCode[],
    afterMs: number,
  ): Promise<void> {
    if (afterMs > 0) await pause(afterMs);
    for (const code of codes) socket.write(frame(this.#render(raw, code)));
  }

  #misdirect(socket: Socket, raw: Buffer, other: string, then: AcknowledgementCode | undefined): void {
    const fields = raw.toString('latin1').split('|');
    fields[9] = other;
    socket.write(frame(this.#render(Buffer.from(fields.join('|'), 'latin1'), 'AA')));
    if (then !== undefined) socket.write(frame(this.#render(raw, then)));
  }

  #render(raw: Buffer, code: AcknowledgementCode): Uint8Array {
    const { clock, ids } = this.#options;
    return hl7Format.renderAcknowledgement(raw, { code, reason: undefined }, clock.now(), ids.next());
  }
}
