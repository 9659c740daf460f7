// FHIR XML to a resource, strictly: what does not fit the definitions is refused with its line and column, never guessed at.
// The tokens come from saxes; no DTD is taken, so there are no entities beyond XML's own five.
import { SaxesParser, type SaxesTagNS } from 'saxes';
import { badRequest } from '../../kernel/outcomes.ts';
import { maximumDepth } from '../exact-json.ts';
import type { FhirResource } from '../resource.ts';
import type { Shapes } from '../shapes/shape.ts';
import { fhirNamespace, xhtmlNamespace } from './characters.ts';
import { HolderFrame, Misfit, type Frame } from './frames.ts';
import { declaresNamespace, isNarrative, withNamespace } from './narrative.ts';

/** An element of XML becomes two levels of JSON where it repeats. */
const maximumElements = Math.floor(maximumDepth / 2) - 1;

/** See FhirXml.read. */
export function readXml(text: string, shapes: Shapes): FhirResource {
  const reading = new Reading(text, shapes);
  while (reading.goOn());
  return reading.resource();
}

/** See FhirXml.readLong. */
export async function readLongXml(
  text: string,
  shapes: Shapes,
  breathe: () => Promise<void>,
): Promise<FhirResource> {
  const reading = new Reading(text, shapes);
  while (reading.goOn()) await breathe();
  return reading.resource();
}

/** Characters that are read in one go: some milliseconds. */
const pieceLength = 64 * 1024;

class Reading {
  readonly #text: string;
  readonly #shapes: Shapes;
  readonly #parser = new SaxesParser({ xmlns: true });
  readonly #root = new HolderFrame('Resource');
  readonly #frames: Frame[] = [this.#root];
  #read = 0;
  #depth = 0;
  /** Where the narrative that is being read begins, and how deep it lies. */
  #narrative: { readonly start: number; readonly depth: number; readonly bare: boolean } | undefined;

  constructor(text: string, shapes: Shapes) {
    this.#text = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
    this.#shapes = shapes;
    const parser = this.#parser;
    parser.on('error', (error) => this.#refuse(faultOf(error)));
    parser.on('xmldecl', ({ encoding }) => {
      if (encoding !== undefined && encoding.toLowerCase() !== 'utf-8') this.#refuse('the encoding is UTF-8');
    });
    parser.on('doctype', () => this.#refuse('a DTD is not taken'));
    parser.on('opentag', (tag) => this.#fitting(() => this.#open(tag)));
    parser.on('closetag', () => this.#fitting(() => this.#close()));
    parser.on('text', (text) => this.#characters(text));
    parser.on('cdata', (text) => this.#characters(text));
  }

  /** Reads a piece; whether there is more. */
  goOn(): boolean {
    this.#parser.write(this.#text.slice(this.#read, this.#read + pieceLength));
    this.#read += pieceLength;
    return this.#read < this.#text.length;
  }

  resource(): FhirResource {
    this.#parser.close();
    return this.#root.held();
  }

  #open(tag: SaxesTagNS): void {
    if (++this.#depth > maximumElements) throw new Misfit(`nested deeper than ${maximumElements} elements`);
    const frame = this.#frame();
    if (this.#narrative) checkNarrative(tag);
    else if (tag.uri === xhtmlNamespace) this.#beginNarrative(frame, tag);
    else this.#beginElement(frame, tag);
  }

  #beginElement(frame: Frame, tag: SaxesTagNS): void {
    if (tag.uri !== fhirNamespace) {
      throw new Misfit(`an element of the namespace ${fhirNamespace} is expected`);
    }
    this.#frames.push(frame.child(tag.local, this.#shapes));
    for (const attribute of Object.values(tag.attributes)) {
      if (attribute.prefix === 'xmlns' || attribute.name === 'xmlns' || attribute.prefix === 'xsi') continue;
      this.#frame().attribute(attribute);
    }
  }

  #beginNarrative(frame: Frame, tag: SaxesTagNS): void {
    frame.narrative(tag.local);
    const bare = !declaresNamespace(tag.attributes);
    checkNarrative(tag);
    // Within a tag no other `<` can stand.
    const start = this.#text.lastIndexOf('<', this.#parser.position - 1);
    this.#narrative = { start, depth: this.#depth, bare };
  }

  #close(): void {
    const narrative = this.#narrative;
    if (narrative?.depth === this.#depth) {
      const text = this.#text.slice(narrative.start, this.#parser.position);
      this.#frame().takeNarrative(narrative.bare ? withNamespace(text) : text);
      this.#narrative = undefined;
    } else if (!narrative) {
      const frame = this.#frames.pop();
      frame?.close(this.#frame(), this.#shapes);
    }
    this.#depth--;
  }

  #characters(text: string): void {
    if (this.#narrative || !/\S/.test(text)) return;
    this.#refuse('text stands in attributes and in narratives only');
  }

  #frame(): Frame {
    return this.#frames.at(-1) ?? this.#root;
  }

  #fitting(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (error instanceof Misfit) this.#refuse(error.message);
      throw error;
    }
  }

  #refuse(fault: string): never {
    const { line, column } = this.#parser;
    const path = this.#frames.map((frame) => frame.name).filter((name) => name !== '');
    throw badRequest(
      `the XML is not taken: line ${line}, column ${column}: ${fault}`,
      path.join('.') || undefined,
    );
  }
}

function checkNarrative(tag: SaxesTagNS): void {
  if (!isNarrative(tag)) throw new Misfit('a narrative is XHTML, without prefixes');
}

/** `3:14: unmatched closing tag: name.` without the place, which is said anyhow, and without what the text holds. */
const faultOf = (error: Error): string =>
  error.message.replace(/^(?:\d+:\d+:\s*)?/, '').replace(/[:.]\s*.*$/s, '') || 'not well formed';
