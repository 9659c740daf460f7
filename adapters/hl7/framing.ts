// MLLP: cuts messages out of a stream of bytes, however it is chunked, and frames what is sent.
// Minimal Lower Layer Protocol, HL7 transport release 1: <VT> message <FS><CR>.
import { ByteList } from './byte-list.ts';

const VT = 0x0b;
const FS = 0x1c;
const CR = 0x0d;

/** How much of an oversize frame is handed on, so that its sender can be told. */
const headBytes = 8192;
/** The first three bytes of whatever may stand in a frame: a message, a file of batches, a batch. */
const headers = ['MSH', 'FHS', 'BHS'].map((name) => Buffer.from(name));
const nothing = Buffer.alloc(0);
const noEvents: readonly FrameEvent[] = [];

export type FrameEvent =
  | { readonly kind: 'message'; readonly bytes: Buffer }
  /** Part of a message that never ended: a new one began in its midst, or the connection ended. */
  | { readonly kind: 'broken'; readonly cause: 'restarted' | 'unfinished'; readonly size: number }
  /** Larger than allowed; `head` is its beginning. Nothing after it is read: answer and close. */
  | { readonly kind: 'oversize'; readonly head: Buffer };

export interface FramingOptions {
  readonly maxFrameBytes: number;
  /** True: only FS CR ends a message. False (default): FS alone does, since some devices send the CR late or never. */
  readonly requireEndOfData?: boolean;
}

/** Frames a message. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(message.length + 3);
  framed[0] = VT;
  framed.set(message, 1);
  framed[message.length + 1] = FS;
  framed[message.length + 2] = CR;
  return framed;
}

/**
 * Reads one connection. Takes time linear in the bytes, whatever their chunks. What lies between frames (keep-alives, noise) is counted
 * and dropped; a message that lacks its VT is known by its header; a VT followed by a header within a message begins a new one. A
 * broken frame never takes its neighbours with it.
 */
export class FrameDecoder {
  readonly #options: FramingOptions;
  /** The frame that is being read; undefined between frames. */
  #frame: ByteList | undefined;
  /** The last bytes of the chunk before, when it takes the next chunk to know what they are: at most three. */
  #carry: Buffer = nothing;
  /** Where the next FS and VT stand in the chunk at hand; its length when there is none. */
  #nextEnd = -1;
  #nextStart = -1;
  #closed = false;
  #afterEnd = false;
  #dropped = 0;

  constructor(options: FramingOptions) {
    this.#options = options;
  }

  /** Bytes between frames, dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Bytes of the frame that has begun and not ended. */
  get held(): number {
    return this.#frame?.size ?? 0;
  }

  /** Whether a frame has begun and not ended. */
  get midFrame(): boolean {
    return this.#frame !== undefined;
  }

  push(chunk: Uint8Array): readonly FrameEvent[] {
    if (this.#closed || chunk.length === 0) return noEvents;
    const data = this.#withCarry(chunk);
    const events: FrameEvent[] = [];
    this.#nextEnd = -1;
    this.#nextStart = -1;
    let at = 0;
    while (at < data.length) {
      at = this.#frame === undefined ? this.#seek(data, at) : this.#read(this.#frame, data, at, events);
    }
    return events;
  }

  /** Lets go of the frame that has begun, and reads no more; answers the beginning of it. */
  abandon(): Buffer {
    const head = this.#frame?.head(headBytes) ?? nothing;
    this.#frame = undefined;
    this.#closed = true;
    return head;
  }

  /** The stream has ended. */
  end(): readonly FrameEvent[] {
    const size = (this.#frame?.size ?? 0) + this.#carry.length;
    const unfinished = this.#frame !== undefined && !this.#closed;
    this.#closed = true;
    this.#frame = undefined;
    this.#carry = nothing;
    return unfinished ? [{ kind: 'broken', cause: 'unfinished', size }] : noEvents;
  }

  #withCarry(chunk: Uint8Array): Buffer {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (this.#carry.length === 0) return bytes;
    const data = Buffer.concat([this.#carry, bytes]);
    this.#carry = nothing;
    return data;
  }

  /** Between frames: on to the next VT or header. */
  #seek(data: Buffer, from: number): number {
    for (let at = from; at < data.length; at += 1) {
      if (data[at] === VT) return this.#begin(at + 1);
      const header = headerAt(data, at);
      if (header === 'yes') return this.#begin(at);
      if (header === 'perhaps') return this.#keep(data, at);
      this.#drop(data[at]);
    }
    return data.length;
  }

  #begin(at: number): number {
    this.#frame = new ByteList();
    this.#afterEnd = false;
    return at;
  }

  #drop(byte: number | undefined): void {
    if (!(this.#afterEnd && byte === CR)) this.#dropped += 1;
    this.#afterEnd = false;
  }

  #keep(data: Buffer, at: number): number {
    this.#carry = Buffer.from(data.subarray(at));
    return data.length;
  }

  /** Within a frame: on to its end or to a VT. */
  #read(current: ByteList, data: Buffer, at: number, events: FrameEvent[]): number {
    if (this.#nextEnd < at) this.#nextEnd = found(data, FS, at);
    if (this.#nextStart < at) this.#nextStart = found(data, VT, at);
    const stop = Math.min(this.#nextEnd, this.#nextStart);
    current.append(data.subarray(at, stop));
    if (current.size > this.#options.maxFrameBytes) return this.#refuse(current, data, events);
    if (stop === data.length) return stop;
    return stop === this.#nextEnd
      ? this.#atEnd(current, data, stop, events)
      : this.#atStart(current, data, stop, events);
  }

  #refuse(current: ByteList, data: Buffer, events: FrameEvent[]): number {
    events.push({ kind: 'oversize', head: current.head(headBytes) });
    this.#frame = undefined;
    this.#closed = true;
    return data.length;
  }

  #atEnd(current: ByteList, data: Buffer, at: number, events: FrameEvent[]): number {
    if (this.#options.requireEndOfData === true) {
      if (at + 1 === data.length) return this.#keep(data, at);
      if (data[at + 1] !== CR) return append(current, data, at);
    }
    this.#finish(current, events);
    return at + 1;
  }

  #finish(current: ByteList, events: FrameEvent[]): void {
    const bytes = current.join();
    if (isBlank(bytes)) {
      this.#dropped += bytes.length;
    } else {
      events.push({ kind: 'message', bytes });
    }
    this.#frame = undefined;
    this.#afterEnd = true;
  }

  #atStart(current: ByteList, data: Buffer, at: number, events: FrameEvent[]): number {
    const header = headerAt(data, at + 1);
    if (header === 'perhaps') return this.#keep(data, at);
    if (header === 'no') return append(current, data, at);
    const bytes = current.join();
    if (isBlank(bytes)) {
      this.#dropped += bytes.length + 1;
    } else {
      events.push({ kind: 'broken', cause: 'restarted', size: bytes.length });
    }
    return this.#begin(at + 1);
  }
}

function append(current: ByteList, data: Buffer, at: number): number {
  current.append(data.subarray(at, at + 1));
  return at + 1;
}

function found(data: Buffer, byte: number, from: number): number {
  const at = data.indexOf(byte, from);
  return at === -1 ? data.length : at;
}

/** Whether a header stands at a place; `perhaps` when the data end before it is known. */
function headerAt(data: Buffer, at: number): 'yes' | 'no' | 'perhaps' {
  const first = data[at];
  if (first === undefined) return 'perhaps';
  const header = headers.find((name) => name[0] === first);
  if (header === undefined) return 'no';
  for (let offset = 1; offset < header.length; offset += 1) {
    if (at + offset === data.length) return 'perhaps';
    if (data[at + offset] !== header[offset]) return 'no';
  }
  return 'yes';
}

/** Only white space and NUL: an empty frame is a keep-alive. */
function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte <= 0x20);
}
