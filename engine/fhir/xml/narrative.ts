// The narrative between JSON, where it is a text, and XML, where it is part of the document. It goes over as it is written.
// https://hl7.org/fhir/R4/narrative.html
import { SaxesParser, type SaxesAttributeNS, type SaxesTagNS } from 'saxes';
import { xhtmlNamespace } from './characters.ts';

/** Deeper nesting is no narrative. */
const maximumDepth = 100;

class Misfit extends Error {}

/** The `div` as XML; undefined when the text is not one well-formed `div` without DTD, prefixes and foreign elements. */
export function narrativeXml(text: string): string | undefined {
  const declared = withNamespace(text);
  try {
    check(declared);
    return declared;
  } catch (error) {
    if (error instanceof Misfit) return undefined;
    throw error;
  }
}

function check(text: string): void {
  // As it will stand in the document: no XML declaration, and nothing after it.
  if (!text.startsWith('<div') || !text.endsWith('>')) throw new Misfit();
  const parser = new SaxesParser({ xmlns: true });
  let depth = 0;
  parser.on('error', refuse);
  parser.on('doctype', refuse);
  parser.on('opentag', (tag) => {
    if (++depth > maximumDepth || !isNarrative(tag)) throw new Misfit();
  });
  parser.on('closetag', () => {
    depth--;
  });
  parser.write(text).close();
}

const refuse = (): never => {
  throw new Misfit();
};

/** Whether an element may be part of a narrative. */
export const isNarrative = (tag: SaxesTagNS): boolean => tag.uri === xhtmlNamespace && tag.prefix === '';

/** Whether the tag itself says of which namespace it is. */
export const declaresNamespace = (attributes: Readonly<Record<string, SaxesAttributeNS>>): boolean =>
  Object.hasOwn(attributes, 'xmlns');

const opening = /^<div(?:\s[^>]*)?>/;

/** Many write the `div` without its namespace, which XML needs. */
export function withNamespace(text: string): string {
  const [tag = ''] = opening.exec(text) ?? [];
  if (tag === '' || /\sxmlns\s*=/.test(tag)) return text;
  return `<div xmlns="${xhtmlNamespace}"${text.slice('<div'.length)}`;
}
