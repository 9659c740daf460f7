// How a Bundle is written that is the result of a request answered later: as the resource of the one entry of another Bundle, still entry
// by entry. https://hl7.org/fhir/R5/async-bundle.html
import type { FhirResource } from '../../fhir/resource.ts';
import { jsonForm, type BundleForm } from '../answer-pieces.ts';

/** What the result has beside its resource. */
export type Response = Readonly<Record<string, string>>;

export const resultIn = (resource: unknown, response: Response): FhirResource => ({
  resourceType: 'Bundle',
  type: 'batch-response',
  entry: [{ resource, response }],
});

const mark = '--resource--';
/** Where the resource stands in JSON that is written for the eye. */
const indent = '\n      ';

export function wrappedJson(pretty: boolean, response: Response): BundleForm {
  const outer = JSON.stringify(resultIn(mark, response), undefined, pretty ? 2 : 0);
  const [before = '', after = ''] = outer.split(`"${mark}"`);
  const within = (text: string): string => text.replaceAll('\n', indent);
  const inner = jsonForm(pretty, { head: (head) => head, entry: (entry) => entry });
  return {
    opening: (head) => before + within(inner.opening(head)),
    entry: (entry, isFirst) => within(inner.entry(entry, isFirst)),
    closing: () => within(inner.closing()) + after,
    alone: (resource) => before + within(inner.alone(resource)) + after,
  };
}

const [opened, closed] = ['<Bundle', '</Bundle>'];

/** XML, cut out of results of one entry. `write`: with the space that the wish asks for. */
export function wrappedXml(write: (bundle: FhirResource) => string, response: Response): BundleForm {
  // Found from both ends: what lies between may have Bundles in it.
  const innerEnd = (text: string): number => text.lastIndexOf(closed, text.lastIndexOf(closed) - 1);
  const innerStart = (text: string): number =>
    text.indexOf('>', text.indexOf(opened, text.indexOf(opened) + opened.length)) + 1;
  const entryIn = (entry: unknown): string =>
    write(resultIn({ resourceType: 'Bundle', entry: [entry] }, response));
  const upToEnd = (text: string): string => text.slice(0, innerEnd(text)).trimEnd();
  let ending = '';
  return {
    opening: (head) => {
      const text = write(resultIn(head, response));
      const start = upToEnd(text);
      ending = text.slice(start.length);
      return start;
    },
    entry: (entry) => {
      const text = entryIn(entry);
      return upToEnd(text).slice(innerStart(text));
    },
    closing: () => ending,
    alone: (resource) => write(resultIn(resource, response)),
  };
}
