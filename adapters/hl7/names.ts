// What fields are called and which codes a table has, for explanations to people. The dictionary is large (110 MB in memory), so it is
// loaded when first asked for, never at start.
import type { HL7Version } from 'node-hl7-client';

export interface Hl7Names {
  /** `PID-3 Patient Identifier List`; `PID-3` where the dictionary does not know it. */
  field(segment: string, field: number): string;
  /** `Patient Identification`; '' where the dictionary does not know it. */
  segment(name: string): string;
  /** The codes of a table (`0085`) in a version (`2.5.1`); empty where the dictionary has none. */
  table(id: string, version: string): readonly string[];
}

/** Takes a fifth of a second the first time; Node keeps what it has loaded. */
export async function loadHl7Names(): Promise<Hl7Names> {
  const { SEGMENT_SPECS: segments, isKnownVersion, lookupTable } = await import('node-hl7-client');
  const specOf = (name: string): (typeof segments)[string] | undefined =>
    Object.hasOwn(segments, name) ? segments[name] : undefined;
  const codes = (id: string, version: HL7Version): readonly string[] => lookupTable(version, id) ?? [];
  return {
    field: (segment, field) => {
      const name = specOf(segment)?.fields.find(({ num }) => num === field)?.name;
      return name === undefined ? `${segment}-${field}` : `${segment}-${field} ${name}`;
    },
    segment: (name) => specOf(name)?.description ?? '',
    table: (id, version) => (isKnownVersion(version) ? codes(id, version) : []),
  };
}
