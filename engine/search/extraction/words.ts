// What people would look for in a resource as text: its words, each once, folded. https://hl7.org/fhir/R4/search.html#content
import type { FhirResource } from '../../fhir/resource.ts';
import { foldString } from '../fold-string.ts';
import type { ParameterName } from '../plan.ts';
import type { Collector } from './collector.ts';

/** Elements whose strings are written for people, in whatever type they stand. Not values, codes, ids or addresses of machines. */
const humanText: ReadonlySet<string> = new Set([
  'display', 'text', 'div', 'family', 'given', 'prefix', 'suffix', 'name', 'title', 'description', 'comment', 'conclusion', 'line',
  'city', 'district', 'state', 'country', 'valueString', 'valueMarkdown', 'patientInstruction', 'purpose', 'definition', 'summary',
  'alias', 'detail', 'contentString', 'note', 'reason',
]); // prettier-ignore

/** So much of a resource's text is found, and so many of its words. */
const maximumCharacters = 20_000;
const maximumWords = 2000;
const longestWord = 40;

interface Gathered {
  text: string;
}

/** The words of the narrative. */
export function addNarrative(resource: FhirResource, parameter: ParameterName, into: Collector): void {
  const { text } = resource;
  const div =
    typeof text === 'object' && text !== null ? (text as { readonly div?: unknown }).div : undefined;
  if (typeof div === 'string') addWords(withoutTags(div), parameter, into);
}

/** The words of the whole resource. */
export function addContent(resource: FhirResource, parameter: ParameterName, into: Collector): void {
  const gathered: Gathered = { text: '' };
  gather(resource, gathered);
  if (gathered.text !== '') addWords(gathered.text, parameter, into);
}

function gather(holder: Readonly<Record<string, unknown>>, into: Gathered): void {
  for (const key in holder) {
    const value = holder[key];
    if (typeof value === 'string') {
      if (humanText.has(key)) take(key === 'div' ? withoutTags(value) : value, into);
    } else if (Array.isArray(value)) {
      for (const one of value as readonly unknown[]) {
        if (typeof one === 'string') {
          if (humanText.has(key)) take(one, into);
        } else if (typeof one === 'object' && one !== null) {
          gather(one as Readonly<Record<string, unknown>>, into);
        }
      }
    } else if (typeof value === 'object' && value !== null) {
      gather(value as Readonly<Record<string, unknown>>, into);
    }
  }
}

function take(text: string, into: Gathered): void {
  if (into.text.length < maximumCharacters) into.text += ` ${text}`;
}

function addWords(text: string, parameter: ParameterName, into: Collector): void {
  const words = new Set<string>();
  for (const word of foldString(text.slice(0, maximumCharacters)).split(' ')) {
    if (word !== '') words.add(word.slice(0, longestWord));
    if (words.size >= maximumWords) break;
  }
  if (words.size > 0) into.add({ kind: 'text', parameter, folded: [...words].join(' ') });
}

const withoutTags = (markup: string): string =>
  markup
    .slice(0, 4 * maximumCharacters)
    .replaceAll(/<[^<>]*>/g, ' ')
    .replaceAll(/&#(\d{1,6});/g, (_found, code: string) => character(Number(code)))
    .replaceAll(/&#x([\da-fA-F]{1,6});/g, (_found, code: string) => character(parseInt(code, 16)))
    .replaceAll(/&[a-z]{2,8};/g, ' ');

const character = (code: number): string => (code <= 0x10ffff ? String.fromCodePoint(code) : ' ');
