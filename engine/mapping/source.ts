// A map file as it was read: its tree, and which line each part stands on.
import { isNode, isScalar, LineCounter, parseDocument, visit, type Document, type Node } from 'yaml';

/** Something wrong in a map file, said so that its author finds it. */
export class MapFault extends Error {
  constructor(place: string, what: string) {
    super(`${place}: ${what}`);
    this.name = 'MapFault';
  }
}

export class MapSource {
  readonly file: string;
  readonly document: Document.Parsed;
  readonly #lines = new LineCounter();
  /** Whose the parts are that another file has put in. */
  readonly #adopted = new WeakMap<object, MapSource>();

  /** All scalars are text: `.1` and `08001` are no numbers here. `file` names it in messages, relative to the project. Throws MapFault for what is no YAML. */
  constructor(file: string, text: string) {
    this.file = file;
    this.document = parseDocument(text, { lineCounter: this.#lines, schema: 'failsafe' });
    const [error] = this.document.errors;
    if (error !== undefined) {
      const [line] = error.linePos ?? [];
      throw new MapFault(`${file}:${line?.line ?? 1}`, error.message.split('\n')[0] ?? 'is no YAML');
    }
  }

  /** `mappings/hl7v2/segments/PID-Patient.yaml:12` */
  at(node: Node | null | undefined): string {
    const owner = node ? this.#adopted.get(node) : undefined;
    if (owner !== undefined) return owner.at(node);
    return `${this.file}:${node?.range ? this.#lines.linePos(node.range[0]).line : 1}`;
  }

  /** From here on a part of another file is a part of this one; where it stands is told by the file that it came from. */
  adopt(part: unknown, from: MapSource): void {
    if (!isNode(part)) return;
    visit(part, (_key, node) => {
      if (isNode(node)) this.#adopted.set(node, from);
    });
  }

  fault(node: Node | null | undefined, what: string): MapFault {
    return new MapFault(this.at(node), what);
  }

  /** The place of what a JSON pointer names, or of the nearest thing around it. */
  atPointer(pointer: string): string {
    const steps = pointer.split('/').slice(1).map(unescapePointer);
    for (let length = steps.length; length > 0; length--) {
      const node: unknown = this.document.getIn(steps.slice(0, length), true);
      if (typeof node === 'object' && node !== null && 'range' in node) return this.at(node as Node);
    }
    return this.at(this.document.contents);
  }
}

const unescapePointer = (step: string): string | number =>
  /^\d+$/.test(step) ? Number(step) : step.replaceAll('~1', '/').replaceAll('~0', '~');

/** The text of a scalar; undefined for anything else. */
export const scalarText = (node: unknown): string | undefined =>
  isScalar(node) && typeof node.value === 'string' ? node.value : undefined;
