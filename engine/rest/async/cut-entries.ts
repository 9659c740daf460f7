// A Bundle's JSON text that was put away, taken apart again while it is read: what stands before its entries, and each entry.
import { StringDecoder } from 'node:string_decoder';
import type { BodyStream } from '../../kernel/http-route.ts';
import { Refusal } from '../../kernel/outcomes.ts';

const beforeEntries = ',"entry":[';
/** What is held at once at most (characters). */
const longestPiece = 64 * 1024 * 1024;

/**
 * Pieces as fhir/bundles.ts makes them. The text is as this engine writes it: without space between, and with the entries last. Throws
 * Refusal `too-large` at an entry that is too long to be held.
 */
export async function* cutEntries(bytes: AsyncIterable<Uint8Array>): BodyStream {
  const decoder = new StringDecoder('utf8');
  const cutter = new EntryCutter();
  for await (const chunk of bytes) yield* cutter.cut(decoder.write(Buffer.from(chunk)));
  yield cutter.rest();
}

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c];
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d];
/** Within the list of entries of the resource. */
const inEntries = 2;

class EntryCutter {
  /** Of the piece that is not whole yet. */
  #begun = '';
  #depth = 0;
  #inText = false;
  #escaped = false;
  #entries: 'before' | 'in' | 'after' = 'before';
  /** What the next entry has before it. */
  #lead = beforeEntries;

  /** The pieces that are whole with this text. */
  *cut(text: string): Generator<string, void, undefined> {
    let from = 0;
    for (let place = 0; place < text.length; place += 1) {
      const ended = this.#step(text.charCodeAt(place));
      if (ended === undefined) continue;
      const piece = this.#begun + text.slice(from, place + 1);
      from = place + 1;
      this.#begun = '';
      if (ended === 'entry') {
        yield this.#lead + piece;
        this.#lead = ',';
      } else if (ended === 'opening') {
        if (piece.endsWith(beforeEntries)) {
          this.#entries = 'in';
          yield piece.slice(0, -beforeEntries.length);
        } else this.#begun = piece;
      }
    }
    this.#begun += text.slice(from);
    if (this.#begun.length > longestPiece) throw tooLong();
  }

  /** What ends with this character: what may stand before the entries, an entry, or what is between them and after the last. */
  #step(code: number): 'opening' | 'entry' | 'between' | undefined {
    if (this.#inText) {
      this.#goOnInText(code);
      return undefined;
    }
    switch (code) {
      case quote:
        this.#inText = true;
        return undefined;
      case openBrace:
      case openBracket:
        this.#depth += 1;
        return this.#entries === 'before' && this.#depth === inEntries && code === openBracket
          ? 'opening'
          : undefined;
      case closeBrace:
      case closeBracket:
        this.#depth -= 1;
        return this.#entries === 'in' ? this.#closed() : undefined;
      default:
        return code === comma && this.#entries === 'in' && this.#depth === inEntries ? 'between' : undefined;
    }
  }

  #closed(): 'entry' | 'between' | undefined {
    if (this.#depth === inEntries) return 'entry';
    if (this.#depth > inEntries) return undefined;
    this.#entries = 'after';
    return 'between';
  }

  /** What comes after the last entry, or all of what has none. */
  rest(): string {
    if (this.#entries === 'after' && this.#begun !== '}') throw new Error('the entries are not the last');
    return this.#begun;
  }

  #goOnInText(code: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (code === backslash) this.#escaped = true;
    else if (code === quote) this.#inText = false;
  }
}

const tooLong = (): Refusal =>
  new Refusal('too-large', 'an entry of the result is so long that it comes as plain JSON only');
