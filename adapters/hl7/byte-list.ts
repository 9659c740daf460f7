// Bytes that arrive piece by piece, joined once at the end: small pieces are copied into blocks, so that a message which comes one
// byte at a time costs neither an object a byte nor a copy of everything at each step.

const smallestBlock = 1024;
const largestBlock = 1024 * 1024;
/** Pieces of this size are kept as they are; smaller ones are copied. */
const worthKeeping = 4096;

export class ByteList {
  readonly #pieces: Buffer[] = [];
  #block: Buffer | undefined;
  #used = 0;
  #size = 0;

  /** Bytes held. */
  get size(): number {
    return this.#size;
  }

  append(piece: Buffer): void {
    this.#size += piece.length;
    if (piece.length >= worthKeeping) {
      this.#seal();
      this.#pieces.push(piece);
    } else {
      this.#copy(piece);
    }
  }

  /** All bytes in one piece. The list is not to be used after it. */
  join(): Buffer {
    this.#seal();
    const [first] = this.#pieces;
    return first !== undefined && this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces, this.#size);
  }

  /** A copy of the first bytes, as many as there are. */
  head(bytes: number): Buffer {
    this.#seal();
    return Buffer.concat(this.#pieces, Math.min(bytes, this.#size));
  }

  #copy(piece: Buffer): void {
    if (this.#block === undefined || this.#block.length - this.#used < piece.length) {
      this.#begin(piece.length);
    }
    this.#block?.set(piece, this.#used);
    this.#used += piece.length;
  }

  /** A new block, as large as all before it, so that their number grows with the logarithm of the size. */
  #begin(atLeast: number): void {
    this.#seal();
    const size = Math.min(largestBlock, Math.max(smallestBlock, this.#size));
    this.#block = Buffer.allocUnsafe(Math.max(size, atLeast));
  }

  #seal(): void {
    if (this.#block !== undefined && this.#used > 0) this.#pieces.push(this.#block.subarray(0, this.#used));
    this.#block = undefined;
    this.#used = 0;
  }
}
