// A parsed message as maps see it, whatever format it came in: segments of fields of repetitions of components.

import type { Bundle } from '@medplum/fhirtypes';
import type { FhirResource } from '../fhir/resource.ts';

export interface WireSegment {
  /** `PID`, `OBX`, `ZPS`; for ASTM the record type. */
  readonly name: string;
  /** Place in the message, from 1. */
  readonly position: number;
  /** The highest field number present. */
  readonly fields: number;
  /**
   * The text at a place, unescaped; '' where nothing is. Numbers from 1, as HL7 counts (MSH-1 is the field separator). An HL7
   * null comes back as `""`.
   */
  text(field: number, repetition?: number, component?: number, subcomponent?: number): string;
  /** The text of a whole field or repetition, as on the wire (still escaped, with its delimiters). */
  source(field: number, repetition?: number): string;
  repetitions(field: number): number;
  components(field: number, repetition?: number): number;
  subcomponents(field: number, repetition: number, component: number): number;
}

export interface WireMessage {
  readonly format: 'hl7v2' | 'astm' | 'fhir';
  /** `ORU^R01` (MSH-9.1 and 9.2). */
  readonly type: string;
  readonly segments: readonly WireSegment[];
  /** It is resources already: a transaction. */
  readonly bundle?: Bundle;
  /** It is a resource, which maps know as `$received`. */
  readonly resource?: FhirResource;
}

/** Something that a parser or map has to say about a message. `error`: no result can be had; others: it can. No patient data. */
export interface Issue {
  readonly severity: 'error' | 'warning' | 'information';
  /** A code of docs/errors.md. */
  readonly code: string;
  readonly text: string;
  /** `OBX[3]-5.1`. */
  readonly place?: string;
}
