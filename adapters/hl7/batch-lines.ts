// Finds, in one pass over the bytes, the lines of a batch that are of the batch itself or begin a message.

export interface BatchLine {
  readonly name: 'FHS' | 'BHS' | 'MSH' | 'BTS' | 'FTS' | 'stray';
  /** Of its first byte. */
  readonly start: number;
  /** A character for each byte; only of headers and trailers. */
  readonly text: string;
}

const CR = 0x0d;
const LF = 0x0a;
/** No header is longer. */
const longest = 65_536;

/**
 * Empty when the bytes are no batch: they do not begin with FHS or BHS (or, with `sequences`, hold fewer than two messages). `stray` is a
 * line between messages that begins none.
 */
export function batchLines(bytes: Buffer, sequences: boolean): readonly BatchLine[] {
  const start = firstLetter(bytes);
  const name = bytes.toString('latin1', start, start + 3);
  if (name !== 'FHS' && name !== 'BHS' && !(sequences && name === 'MSH')) return [];
  const lines = linesFrom(bytes, start, bytes[start + 3] ?? 0);
  return name === 'MSH' && lines.length < 2 ? [] : lines;
}

/** Past a byte order mark, white space, NUL and VT. */
function firstLetter(bytes: Buffer): number {
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (at < bytes.length && (bytes[at] ?? 0) <= 0x20) at += 1;
  return at;
}

function linesFrom(bytes: Buffer, first: number, separator: number): readonly BatchLine[] {
  const lines: BatchLine[] = [];
  let inMessage = false;
  for (let start = first; start < bytes.length;) {
    const end = endOfLine(bytes, start);
    const name = nameAt(bytes, start, end, separator);
    if (name !== undefined || (!inMessage && !isBlank(bytes, start, end))) {
      const text =
        name === 'MSH' && lines.length > 0
          ? ''
          : bytes.toString('latin1', start, Math.min(end, start + longest));
      lines.push({ name: name ?? 'stray', start, text });
      inMessage = name === 'MSH';
    }
    start = end + 1;
  }
  return lines;
}

function endOfLine(bytes: Buffer, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at] !== CR && bytes[at] !== LF) at += 1;
  return at;
}

const names = ['FHS', 'BHS', 'MSH', 'BTS', 'FTS'] as const;

/** A trailer may stand alone on its line. A message may have delimiters of its own: `MSH` and usual ones after it are known too. */
function nameAt(
  bytes: Buffer,
  start: number,
  end: number,
  separator: number,
): (typeof names)[number] | undefined {
  if (bytes[start + 2] !== 0x53 && bytes[start + 2] !== 0x48) return undefined;
  const text = bytes.toString('latin1', start, Math.min(end, start + 8));
  const name = names.find((one) => text.startsWith(one));
  if (name === undefined) return undefined;
  const isTrailer = name === 'BTS' || name === 'FTS';
  const isMarked = bytes[start + 3] === separator || (name === 'MSH' && text.slice(4) === '^~\\&');
  return isMarked || (isTrailer && text.length === 3) ? name : undefined;
}

const isBlank = (bytes: Buffer, start: number, end: number): boolean =>
  bytes.subarray(start, end).every((byte) => byte <= 0x20);
