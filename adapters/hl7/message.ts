// HL7 v2 in its vertical-bar encoding, from bytes to segments. Tolerates what senders do: any line ends, no last one, blank lines,
// line breaks within a text, a byte order mark.
import type { Issue, WireMessage, WireSegment } from '../../engine/index.ts';
import { decodeText } from './charset.ts';
import { readHeader, typeMissing, type Header, type Reason } from './header.ts';
import { Hl7Segment, type Reading } from './segment.ts';
import { narrowed } from './wide.ts';

/** More than any message has. What lies beyond would hold up all others for many seconds while it is mapped and stored in one piece. */
const mostSegments = 10_000;

export interface Parsed {
  readonly message: WireMessage | undefined;
  readonly issues: readonly Issue[];
}

/** `channel`: the character set to assume where MSH-18 names none, or where it is not true. Never throws. */
export function parseMessage(raw: Uint8Array, channel?: string): Parsed {
  const bytes = narrowed(raw);
  const read = readHeader(bytes, channel);
  if ('unreadable' in read) return refused(read.unreadable);
  const missing = typeMissing(read.header);
  if (missing !== undefined) return refused(missing);
  return parsed(bytes, read.header, channel);
}

function refused(reason: Reason): Parsed {
  return { message: undefined, issues: [{ severity: 'error', ...reason, place: 'MSH' }] };
}

function parsed(bytes: Buffer, header: Header, channel: string | undefined): Parsed {
  const { text, issues, decode } = decodeText(bytes, header.charset, channel);
  const { lines, stray } = segmentLines(text, header.delimiters.field);
  if (lines.length > mostSegments) {
    const why = `more than ${mostSegments} segments; split the message`;
    return refused({ code: 'hl7-too-many-segments', text: why });
  }
  const reading: Reading = { delimiters: header.delimiters, decode };
  const segments = lines.map((line, index) => new Hl7Segment(line, index + 1, reading));
  return {
    message: { format: 'hl7v2', type: messageType(header.text), segments },
    issues: stray === undefined ? issues : [...issues, strayLine(stray)],
  };
}

/** `ORU^R01`, whatever the sender's component separator is; `ACK` where there is no trigger event. */
export function messageType(header: WireSegment): string {
  const event = header.text(9, 1, 2);
  return event === '' ? header.text(9) : `${header.text(9)}^${event}`;
}

interface Lines {
  readonly lines: readonly string[];
  /** Position of the first segment that a line without a segment name was added to. */
  readonly stray: number | undefined;
}

/** A line that begins no segment belongs to the text before it: its sender forgot to escape a line break. */
function segmentLines(text: string, field: string): Lines {
  const segments: string[][] = [];
  let stray: number | undefined;
  for (const line of text.split(/[\r\n]+/)) {
    const last = segments.at(-1);
    const clean = last === undefined ? line.trimStart().replace(/^[\0-\x20\ufeff]+/, '') : line;
    if (clean.trim() === '' || clean === '\0') continue;
    if (last === undefined || beginsSegment(clean, field)) {
      segments.push([clean]);
    } else {
      stray ??= segments.length;
      last.push(line);
    }
  }
  return { lines: segments.map((lines) => lines.join('\n')), stray };
}

function beginsSegment(line: string, field: string): boolean {
  if (line.length > 3 && line.charAt(3) !== field) return false;
  return isUpper(line, 0) && isUpperOrDigit(line, 1) && isUpperOrDigit(line, 2);
}

function isUpper(line: string, at: number): boolean {
  const code = line.charCodeAt(at);
  return code >= 0x41 && code <= 0x5a;
}

function isUpperOrDigit(line: string, at: number): boolean {
  const code = line.charCodeAt(at);
  return isUpper(line, at) || (code >= 0x30 && code <= 0x39);
}

function strayLine(position: number): Issue {
  return {
    severity: 'warning',
    code: 'hl7-stray-line',
    text: `a line begins no segment; it was read as part of segment ${position}. Line breaks in a text are written \\.br\\`,
  };
}
