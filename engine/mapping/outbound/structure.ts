// What a receiver may rely on in a message of a structure: which segments in which order, which fields filled, which left empty.
import { isMap, isSeq } from 'yaml';
import type { OutgoingSegment } from '../outgoing-message.ts';
import { scalarText, type MapSource } from '../source.ts';
import { cannot } from './cannot.ts';

export interface Structure {
  readonly name: string;
  /** Over the names of the segments, each with a blank behind it. */
  readonly pattern: RegExp;
  readonly required: FieldRules;
  readonly forbidden: FieldRules;
}

/** Numbers of fields by segment. */
type FieldRules = ReadonlyMap<string, readonly number[]>;

/** Throws MapFault. The source has passed its schema. */
export function compileStructure(source: MapSource): Structure {
  const { document } = source;
  const segments = document.get('segments', true);
  return {
    name: scalarText(document.get('structure', true)) ?? '',
    pattern: patternOf(scalarText(segments) ?? '', () =>
      source.fault(document.contents, 'the brackets do not match'),
    ),
    required: rulesOf(document.get('required', true)),
    forbidden: rulesOf(document.get('forbidden', true)),
  };
}

/** HL7's own notation: `[ ]` may be left out, `{ }` may repeat. HL7 2.5.1, 2.12. */
const signs: Readonly<Record<string, string>> = { '[': '(?:', ']': ')?', '{': '(?:', '}': ')+' };

function patternOf(notation: string, fault: () => Error): RegExp {
  const parts = notation.match(/[A-Z][A-Z0-9]{2}|[[\]{}]/g) ?? [];
  try {
    return new RegExp(`^${parts.map((part) => signs[part] ?? `(?:${part} )`).join('')}$`);
  } catch (error) {
    if (error instanceof SyntaxError) throw fault();
    throw error;
  }
}

function rulesOf(node: unknown): FieldRules {
  if (!isMap(node)) return new Map();
  return new Map(
    node.items.map(({ key, value }) => [
      scalarText(key) ?? '',
      isSeq(value) ? value.items.map((item) => Number(scalarText(item))) : [],
    ]),
  );
}

/** Throws Refusal `unprocessable` that names the place. Segments of the receiver's own (Z) may stand anywhere. */
export function checkStructure(segments: readonly OutgoingSegment[], structure: Structure | undefined): void {
  if (structure === undefined) return;
  const names = segments.map(({ name }) => name).filter((name) => !name.startsWith('Z'));
  if (!structure.pattern.test(names.map((name) => `${name} `).join(''))) {
    throw cannot(`the segments ${names.join(' ')} are no ${structure.name}`);
  }
  for (const segment of segments) checkFields(segment, structure);
}

function checkFields(
  { name, fields }: OutgoingSegment,
  { name: structure, required, forbidden }: Structure,
): void {
  const empty = required.get(name)?.find((number) => !fields.has(number));
  if (empty !== undefined) {
    throw cannot(`${name}-${empty} would be empty, and ${structure} needs it`, `${name}-${empty}`);
  }
  const filled = forbidden.get(name)?.find((number) => fields.has(number));
  if (filled !== undefined) {
    throw cannot(
      `${name}-${filled} would be filled, and ${structure} has another place for it`,
      `${name}-${filled}`,
    );
  }
}
