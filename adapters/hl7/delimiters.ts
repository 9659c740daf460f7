// The delimiters of a message, as its first segment names them (MSH-1 and MSH-2), and the escapes that stand for them.
// HL7 2.5.1, 2.5.4 and 2.7; the fifth encoding character (truncation) came with 2.7.

export interface Delimiters {
  readonly field: string;
  readonly component: string;
  readonly repetition: string;
  /** '' where the sender names none: nothing is then escaped. */
  readonly escape: string;
  readonly subcomponent: string;
  readonly truncation: string;
}

export const usualDelimiters: Delimiters = {
  field: '|',
  component: '^',
  repetition: '~',
  escape: '\\',
  subcomponent: '&',
  truncation: '',
};

const canDelimit = (character: string): boolean => /^[!-/:-@[-`{-~]$/.test(character);

/** Of a header segment (`MSH|^~\&|…`); undefined when it names none that can be used. A character that is named twice counts once. */
export function delimitersOf(header: string): Delimiters | undefined {
  const field = header.charAt(3);
  if (!canDelimit(field)) return undefined;
  const end = header.indexOf(field, 4);
  const named = [...new Set(header.slice(4, end === -1 ? header.length : end))];
  const [component, repetition = '', escape = '', subcomponent = '', truncation = ''] = named;
  if (component === undefined || named.length > 5 || !named.every(canDelimit)) return undefined;
  return { field, component, repetition, escape, subcomponent, truncation };
}

/** Reads bytes of the message's character set, for \Xhh\. */
type Decode = (bytes: Buffer) => string;

/** The escapes that stand for one delimiter. */
const standIns: Readonly<Record<string, keyof Delimiters>> = {
  F: 'field',
  S: 'component',
  R: 'repetition',
  E: 'escape',
  T: 'subcomponent',
  P: 'truncation',
};

/** Escapes that mean the same in every message: highlighting says nothing to FHIR, `.br` is a line break. */
const fixed: Readonly<Record<string, string>> = { H: '', N: '', '.br': '\n' };

/** HL7 2.5.1, 2.7.6: `.sp` and `.ce` end a line, `.sk` is blanks; indents and filling say nothing to FHIR. */
function formatting(command: string, count: number): string {
  if (command === 'sp') return '\n'.repeat(count);
  if (command === 'ce') return '\n';
  return command === 'sk' ? ' '.repeat(count) : '';
}

function meaning(code: string, delimiters: Delimiters, decode: Decode): string | undefined {
  const standIn = Object.hasOwn(standIns, code) ? standIns[code] : undefined;
  if (standIn !== undefined) return delimiters[standIn];
  if (Object.hasOwn(fixed, code)) return fixed[code];
  const format = /^\.(sp|ce|sk|fi|nf|in|ti)[+-]?(\d{0,2})$/.exec(code);
  if (format !== null) return formatting(format[1] ?? '', Number(format[2] ?? '') || 1);
  return /^X(?:[0-9A-Fa-f]{2})+$/.test(code) ? decode(Buffer.from(code.slice(1), 'hex')) : undefined;
}

/** The text that was meant. Escapes that are not known here, and escape characters that begin none, are kept as written. */
export function unescaped(text: string, delimiters: Delimiters, decode: Decode): string {
  const { escape } = delimiters;
  if (escape === '') return text;
  let open = text.indexOf(escape);
  if (open === -1) return text;
  let result = '';
  let from = 0;
  while (open !== -1) {
    const close = text.indexOf(escape, open + 1);
    if (close === -1) break;
    const meant = meaning(text.slice(open + 1, close), delimiters, decode);
    result += text.slice(from, meant === undefined ? close : open) + (meant ?? '');
    from = meant === undefined ? close : close + 1;
    open = meant === undefined ? close : text.indexOf(escape, from);
  }
  return result + text.slice(from);
}

/** The text as it may stand in a message: delimiters as escapes, line breaks as `.br`. */
export function escaped(text: string, delimiters: Delimiters): string {
  const { escape } = delimiters;
  const replacements = new Map<string, string>();
  for (const [code, name] of Object.entries(standIns)) {
    const character = delimiters[name];
    if (character !== '') replacements.set(character, escape === '' ? ' ' : `${escape}${code}${escape}`);
  }
  const lineBreak = escape === '' ? ' ' : `${escape}.br${escape}`;
  return Array.from(text.replace(/\r\n?/g, '\n'), (character) =>
    character === '\n' ? lineBreak : (replacements.get(character) ?? character),
  ).join('');
}
