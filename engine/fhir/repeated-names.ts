// A name that stands twice in one object: JSON.parse keeps the last of them and says nothing, so that something a sender wrote would be lost.
// https://hl7.org/fhir/R4/json.html: "property names are unique"
import { badRequest } from '../kernel/outcomes.ts';

const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket, colon] = [
  0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d, 0x3a,
];

/** `text` is JSON, which has been parsed. Throws Refusal `bad-request` naming what is there twice. */
export function refuseRepeatedNames(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      const end = afterString(text, at);
      if (isName(text, end)) note(open.at(-1), text.slice(at + 1, end - 1));
      at = end - 1;
    } else if (code === openBrace) open.push(new Set());
    else if (code === openBracket) open.push(undefined);
    else if (code === closeBrace || code === closeBracket) open.pop();
  }
}

function note(names: Set<string> | undefined, written: string): void {
  const name = written.includes('\\') ? (JSON.parse(`"${written}"`) as string) : written;
  if (names?.has(name) === true) {
    const shown = /^[A-Za-z0-9_]{1,64}$/.test(name) ? name : 'a name';
    throw badRequest(`${shown} stands twice in one object; FHIR JSON has each name once`);
  }
  names?.add(name);
}

/** Whether a colon follows. */
function isName(text: string, start: number): boolean {
  let at = start;
  while (isSpace(text.charCodeAt(at))) at++;
  return text.charCodeAt(at) === colon;
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

/** After the quote that ends the string: one with an even number of backslashes before it. */
export function afterString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let slashes = at;
    while (text.charCodeAt(slashes - 1) === backslash) slashes--;
    if ((at - slashes) % 2 === 0) return at + 1;
  }
  return text.length;
}
