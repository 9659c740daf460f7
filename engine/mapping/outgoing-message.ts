// A message that is to be written, whatever format it goes out in: segments of fields of repetitions of components.

/** A component's subcomponents: the text at each place, unescaped; from 1, without empty ones. */
export type OutgoingComponent = ReadonlyMap<number, string>;
/** From 1, without empty ones. */
export type OutgoingRepetition = ReadonlyMap<number, OutgoingComponent>;

export interface OutgoingSegment {
  /** `PID`, `OBX`. */
  readonly name: string;
  /** By number as HL7 counts; MSH-1 and MSH-2 are the format's own. Without empty ones. */
  readonly fields: ReadonlyMap<number, readonly OutgoingRepetition[]>;
}
