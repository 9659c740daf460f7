// A large Bundle parsed entry by entry, so that others have their turn in between, and so that only the entries whose decimals need it
// are read the slow way. What comes out is what parseSent gives.
import { Refusal } from '../kernel/outcomes.ts';
import { parseJson, parseResource } from './exact-json.ts';
import { afterString, refuseRepeatedNames } from './repeated-names.ts';
import type { FhirResource } from './resource.ts';

/** Shorter texts are parsed in one go. */
const longText = 65_536;

interface Span {
  readonly start: number;
  readonly end: number;
}

interface Entries {
  /** From `[` to after `]`. */
  readonly list: Span;
  readonly items: readonly Span[];
}

/** `breathe` is awaited after each entry, found or parsed. Throws as parseSent does. */
export async function parseBundle(text: string, breathe: () => Promise<void>): Promise<FhirResource> {
  const entries = text.length < longText ? undefined : await entriesIn(text, breathe);
  return (entries && (await parsedInParts(text, entries, breathe))) ?? parseSent(text);
}

/** Throws as parseResource does, and Refusal `bad-request` where a name stands twice in one object. */
export function parseSent(text: string): FhirResource {
  const resource = parseResource(text);
  refuseRepeatedNames(text);
  return resource;
}

/** undefined where a part is no JSON: the whole text then tells where. */
async function parsedInParts(
  text: string,
  { list, items }: Entries,
  breathe: () => Promise<void>,
): Promise<FhirResource | undefined> {
  try {
    const bundle = parseSent(`${text.slice(0, list.start)}[]${text.slice(list.end)}`);
    const entry: unknown[] = [];
    for (const { start, end } of items) {
      const item = text.slice(start, end);
      entry.push(parseJson(item));
      refuseRepeatedNames(item);
      await breathe();
    }
    return { ...bundle, entry };
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** Where the list `entry` of the outermost object stands, and its items; undefined where the text is not as simple as that. */
async function entriesIn(text: string, breathe: () => Promise<void>): Promise<Entries | undefined> {
  let found: Entries | undefined;
  let at = afterSpace(text, 0);
  if (text[at] !== '{') return undefined;
  do {
    const key = afterSpace(text, at + 1);
    if (text[key] !== '"') return undefined;
    const keyEnd = afterString(text, key);
    const value = afterSpace(text, afterSpace(text, keyEnd) + 1);
    if (text.slice(key, keyEnd) === '"entry"') {
      if (found || text[value] !== '[') return undefined;
      found = await itemsOf(text, value, breathe);
    }
    at = afterSpace(text, found?.list.start === value ? found.list.end : afterValue(text, value));
  } while (text[at] === ',');
  return text[at] === '}' ? found : undefined;
}

async function itemsOf(
  text: string,
  start: number,
  breathe: () => Promise<void>,
): Promise<Entries | undefined> {
  const items: Span[] = [];
  let at = start;
  do {
    const item = afterSpace(text, at + 1);
    const end = afterValue(text, item);
    items.push({ start: item, end });
    at = afterSpace(text, end);
    await breathe();
  } while (text[at] === ',');
  return text[at] === ']' ? { list: { start, end: at + 1 }, items } : undefined;
}

const [quote, openBrace, closeBrace, openBracket, closeBracket, comma] = [0x22, 0x7b, 0x7d, 0x5b, 0x5d, 0x2c];

function afterSpace(text: string, start: number): number {
  let at = start;
  while (isSpace(text.charCodeAt(at))) at++;
  return at;
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

function afterValue(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === quote) return afterString(text, start);
  if (first === openBrace || first === openBracket) return afterNested(text, start);
  let at = start;
  while (at < text.length && !endsScalar(text.charCodeAt(at))) at++;
  return at;
}

const endsScalar = (code: number): boolean =>
  code === comma || code === closeBrace || code === closeBracket || isSpace(code);

function afterNested(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) at = afterString(text, at) - 1;
    else if (code === openBrace || code === openBracket) depth++;
    else if ((code === closeBrace || code === closeBracket) && --depth === 0) return at + 1;
  }
  return text.length;
}
