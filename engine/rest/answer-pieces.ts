// A long Bundle on its way out in XML, written for the eye, or in part: entry by entry, so that no more of it is held than one entry.
import { parseJson, writeJson } from '../fhir/exact-json.ts';
import type { FhirResource } from '../fhir/resource.ts';
import type { BodyStream } from '../kernel/http-route.ts';

/** How the parts of a Bundle are written. */
export interface BundleForm {
  /** All that stands before the first entry. */
  opening(head: FhirResource): string;
  entry(entry: unknown, isFirst: boolean): string;
  /** What ends it. */
  closing(): string;
  /** All of one that has no entries. */
  alone(head: FhirResource): string;
}

const firstEntry = ',"entry":[';

/** `pieces`: of fhir/bundles.ts, where what stands before the entries, and each entry, are pieces of their own. */
export async function* inForm(pieces: BodyStream, form: BundleForm): BodyStream {
  let head: string | undefined = '';
  for await (const one of pieces) {
    const piece = String(one);
    if (head === undefined) {
      if (piece.startsWith(',')) yield form.entry(parseJson(piece.slice(1)), false);
    } else if (piece.startsWith(firstEntry)) {
      yield form.opening(parseJson(`${head}}`) as FhirResource);
      head = undefined;
      yield form.entry(parseJson(piece.slice(firstEntry.length)), true);
    } else head += piece;
  }
  yield head === undefined ? form.closing() : form.alone(parseJson(head) as FhirResource);
}

/** JSON; `pretty`: indented by two, as JSON.stringify does. */
export function jsonForm(pretty: boolean, change: BundleChange): BundleForm {
  const [line, outer, inner] = pretty ? ['\n', '  ', '    '] : ['', '', ''];
  const write = (value: unknown): string => (pretty ? JSON.stringify(value, undefined, 2) : writeJson(value));
  return {
    opening: (head) => write(change.head(head)).slice(0, pretty ? -2 : -1),
    entry: (entry, isFirst) => {
      const text = write(change.entry(entry)).replaceAll('\n', `\n${inner}`);
      const before = isFirst ? `,${line}${outer}"entry":${pretty ? ' ' : ''}[` : ',';
      return `${before}${line}${inner}${text}`;
    },
    closing: () => `${line}${outer}]${line}}`,
    alone: (head) => write(change.head(head)),
  };
}

/** What is made of the parts before they are written. */
export interface BundleChange {
  head(head: FhirResource): FhirResource;
  entry(entry: unknown): unknown;
}

/** XML, cut out of Bundles of one entry. */
export function xmlForm(
  pretty: boolean,
  write: (bundle: FhirResource) => string,
  change: BundleChange,
): BundleForm {
  // Found from the end: a pattern would begin again at each space of a long text.
  const withoutEnd = (text: string): string => text.slice(0, text.lastIndexOf('</Bundle>')).trimEnd();
  return {
    opening: (head) => withoutEnd(write(change.head(head))),
    entry: (entry) => {
      const text = write({ resourceType: 'Bundle', entry: [change.entry(entry)] });
      return withoutEnd(text.slice(text.indexOf('>', text.indexOf('<Bundle')) + 1));
    },
    closing: () => `${pretty ? '\n' : ''}</Bundle>`,
    alone: (head) => write(change.head(head)),
  };
}
