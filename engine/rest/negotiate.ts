// Formats: which the client wants back, and which it sends. https://hl7.org/fhir/R4/http.html#mime-type
import { Refusal } from '../kernel/outcomes.ts';

export type Format = 'json' | 'xml';

/** What a body is: a resource in a format, or a patch that is no resource. */
export type BodyKind = Format | 'json-patch' | 'merge-patch';

export const fhirJson = 'application/fhir+json; charset=utf-8';
export const fhirXml = 'application/fhir+xml; charset=utf-8';

const mediaTypes: ReadonlyMap<string, BodyKind> = new Map([
  ['application/fhir+json', 'json'],
  ['application/json', 'json'],
  ['text/json', 'json'],
  ['application/fhir+xml', 'xml'],
  ['application/xml', 'xml'],
  ['text/xml', 'xml'],
  ['application/json-patch+json', 'json-patch'],
  ['application/merge-patch+json', 'merge-patch'],
]);

interface MediaRange {
  readonly type: string;
  readonly q: number;
  /** Whether it is this version of FHIR: https://hl7.org/fhir/R4/http.html#version-parameter */
  readonly ours: boolean;
  readonly utf8: boolean;
}

function mediaRange(written: string): MediaRange {
  const [type = '', ...parameters] = written.split(';').map((part) => part.trim().toLowerCase());
  const valueOf = (name: string): string | undefined =>
    parameters
      .find((parameter) => parameter.startsWith(`${name}=`))
      ?.slice(name.length + 1)
      .replaceAll('"', '');
  const q = Number(valueOf('q') ?? '1');
  return {
    type,
    q: q >= 0 && q <= 1 ? q : 1,
    ours: ['4.0', '4.0.1'].includes(valueOf('fhirversion') ?? '4.0'),
    utf8: ['utf-8', 'utf8'].includes(valueOf('charset') ?? 'utf-8'),
  };
}

/** The format of the answer; `_format` counts more than Accept. Throws Refusal `not-acceptable` when the client takes none of ours. */
export function answerFormat(format: string | undefined, accept: string | undefined): Format {
  if (format !== undefined) return formatNamed(format);
  // What nearly all clients send needs no looking into.
  if (!accept || accept === '*/*' || accept === 'application/fhir+json') return 'json';
  const ranges = accept.split(',').map(mediaRange);
  const json = weightOf('json', ranges);
  const xml = weightOf('xml', ranges);
  if (json.q === 0 && xml.q === 0) throw notAcceptable('Accept');
  // Browsers name XML only because of XHTML; a person reads JSON more easily.
  if (json.q > 0 && ranges.some(({ type }) => type === 'text/html')) return 'json';
  if (json.q !== xml.q) return json.q > xml.q ? 'json' : 'xml';
  if (json.exact !== xml.exact) return json.exact > xml.exact ? 'json' : 'xml';
  return json.place <= xml.place ? 'json' : 'xml';
}

/** `+` in a query is a space to those who did not encode it. */
function formatNamed(format: string): Format {
  const { type, ours } = mediaRange(format);
  const found = type === 'json' || type === 'xml' ? type : mediaTypes.get(type.replace(' ', '+'));
  const readable = /^[\x20-\x7e]*$/.test(format);
  if (readable && ours && (found === 'json' || found === 'xml')) return found;
  throw notAcceptable('_format');
}

interface Weight {
  readonly q: number;
  /** 2 for the media type itself, 1 for its family, 0 for anything: the most exact range counts. */
  readonly exact: number;
  readonly place: number;
}

const unwanted: Weight = { q: 0, exact: -1, place: Infinity };

function weightOf(format: Format, ranges: readonly MediaRange[]): Weight {
  return ranges.reduce<Weight>((best, { type, q, ours }, place) => {
    const exact = exactness(type, format);
    if (!ours || exact < best.exact || (exact === best.exact && q <= best.q)) return best;
    return { q, exact, place };
  }, unwanted);
}

function exactness(type: string, format: Format): number {
  if (mediaTypes.get(type) === format) return 2;
  if (type === 'application/*' || type === 'text/*') return 1;
  return type === '*/*' ? 0 : -2;
}

const notAcceptable = (place: string): Refusal =>
  new Refusal('not-acceptable', 'answers come as application/fhir+json or application/fhir+xml, R4', place);

export const resourceBodies: readonly BodyKind[] = ['json', 'xml'];
export const patchBodies: readonly BodyKind[] = ['json-patch', 'merge-patch', 'json', 'xml'];

/** Throws Refusal `unsupported-media-type` for a body of none of these kinds, in another version of FHIR or not in UTF-8. */
export function bodyKind(contentType: string | undefined, taken: readonly BodyKind[]): BodyKind {
  const { type, ours, utf8 } = mediaRange(contentType ?? '');
  const kind = mediaTypes.get(type);
  if (kind && ours && utf8 && taken.includes(kind)) return kind;
  const names = [...mediaTypes].filter(([name, one]) => name.includes('+') && taken.includes(one));
  const list = names.map(([name]) => name).join(' or ');
  throw new Refusal('unsupported-media-type', `a body is ${list}, R4, in UTF-8`, 'Content-Type');
}
