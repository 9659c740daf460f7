// JSON in and out with every decimal exactly as it was written: 2.780 stays 2.780, twenty digits stay twenty.
// https://hl7.org/fhir/R4/json.html#primitive: "the precision of the decimal value has significance".
import { isUtf8 } from 'node:buffer';
import { badRequest } from '../kernel/outcomes.ts';
import { jsonFault } from './json-fault.ts';
import type { FhirResource } from './resource.ts';

/** A number that JavaScript would write otherwise than it was read; `JSON.stringify` writes it as it was. */
export interface RawNumber {
  readonly rawJSON: string;
}

interface ExactJson {
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
}
const exactJson = JSON as unknown as ExactJson;

/** Deeper nesting than any resource needs is refused before anything recursive sees it. */
export const maximumDepth = 200;

/** Where a number stands that may not come back as written: trailing zero, exponent, tiny, long, or minus zero. */
const inexact =
  /[:,[]\s*(?:-?(?:\d+\.\d*0(?!\d)|0\.000000|\d[\d.]{15}|\d+(?:\.\d+)?[eE])|-0(?![\d.]))|^\s*-?\d/;
const mayHidePrototype = /__proto__|\\u005[fF]/;

/**
 * Parses JSON. Numbers are JavaScript numbers where those write the same text again, otherwise raw JSON (see `decimalText`).
 * Of duplicate keys the last counts, as in JSON.parse (see repeated-names.ts). Throws Refusal `bad-request`, saying where, for text that is not JSON, is
 * nested deeper than `maximumDepth`, or holds a key `__proto__`.
 */
export function parseJson(text: string): unknown {
  const body = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  refuseDepth(body);
  const value = parseOrRefuse(body);
  if (mayHidePrototype.test(body)) refusePrototype(value);
  return value;
}

function parseOrRefuse(text: string): unknown {
  try {
    return inexact.test(text) ? exactJson.parse(text, keepNumber) : (JSON.parse(text) as unknown);
  } catch (error) {
    if (error instanceof SyntaxError) throw badRequest(`the text is not JSON: ${jsonFault(text)}`);
    throw error;
  }
}

const keepNumber = (_key: string, value: unknown, context: { readonly source?: string }): unknown =>
  typeof value === 'number' && context.source !== undefined && context.source !== String(value)
    ? exactJson.rawJSON(context.source)
    : value;

/** The JSON text of a value, raw numbers as they were read. */
export const writeJson = (value: unknown): string => JSON.stringify(value);

/**
 * Parses a resource. Throws Refusal `bad-request` when the text is not UTF-8 or not JSON, or is no object with a `resourceType`.
 */
export function parseResource(text: string | Uint8Array): FhirResource {
  const value = parseJson(typeof text === 'string' ? text : decode(text));
  if (!isResource(value)) throw badRequest('a resource is a JSON object with a resourceType');
  return value;
}

/** Whether a value has the outer shape of a resource. */
export const isResource = (value: unknown): value is FhirResource =>
  typeof value === 'object' &&
  value !== null &&
  'resourceType' in value &&
  typeof value.resourceType === 'string';

function decode(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw badRequest('the text is not UTF-8');
  return new TextDecoder().decode(bytes);
}

/** The digits of a decimal as they were written; undefined when the value is no number. */
export function decimalText(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined;
  return isRawNumber(value) ? value.rawJSON : undefined;
}

/** The nearest JavaScript number; undefined when the value is no number, or greater than any of them. */
export function decimalNumber(value: unknown): number | undefined {
  const number = isRawNumber(value) ? Number(value.rawJSON) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

/** A decimal that will be written with exactly these digits. Throws SyntaxError when the text is no JSON number. */
export const decimal = (text: string): number | RawNumber =>
  String(Number(text)) === text ? Number(text) : exactJson.rawJSON(text);

/** Whether a value is a number held as raw JSON. */
export const isRawNumber = (value: unknown): value is RawNumber => exactJson.isRawJSON(value);

/** Brackets are counted only in texts that have enough of them to be too deep. */
function refuseDepth(text: string): void {
  if (!hasManyOpenings(text)) return;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) at = endOfString(text, at);
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > maximumDepth) throw badRequest(`JSON nested deeper than ${maximumDepth} levels`);
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
}

function hasManyOpenings(text: string): boolean {
  let found = 0;
  for (const opening of ['{', '[']) {
    for (let at = text.indexOf(opening); at >= 0; at = text.indexOf(opening, at + 1)) {
      if (++found > maximumDepth) return true;
    }
  }
  return false;
}

/** The place of the quote that ends the string beginning at `start`. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at;
    if (code === 0x5c) at++;
  }
  return text.length;
}

function refusePrototype(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (Object.hasOwn(value, '__proto__')) throw badRequest('a key __proto__ is not allowed');
  for (const part of Object.values(value)) refusePrototype(part);
}
