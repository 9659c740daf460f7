// A body that comes in pieces, gathered. Each piece costs some two hundred bytes beside its own, so that one sent byte by byte would take
// many times its length: small ones are put together while they come.

/** Pieces that are looked at together; put together where they are small. */
const lookedAt = 256;
/** Bytes that a piece has for its own sake. */
const largePiece = 4 * 1024;

export class GatheredBytes {
  readonly #joined: Uint8Array[] = [];
  #recent: Uint8Array[] = [];
  #recentBytes = 0;

  push(piece: Uint8Array): void {
    this.#recent.push(piece);
    this.#recentBytes += piece.length;
    if (this.#recent.length >= lookedAt) this.#settle();
  }

  /** All of it, in order; nothing is left here. */
  take(): readonly Uint8Array[] {
    return [...this.#joined.splice(0), ...this.#recent.splice(0)];
  }

  #settle(): void {
    const areSmall = this.#recentBytes < this.#recent.length * largePiece;
    this.#joined.push(...(areSmall ? [Buffer.concat(this.#recent)] : this.#recent));
    this.#recent = [];
    this.#recentBytes = 0;
  }
}
