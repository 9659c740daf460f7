// What the maps can do: the face of engine/mapping that the other parts see.
import type { Bundle } from '@medplum/fhirtypes';
import type { FhirResource } from '../fhir/resource.ts';
import type { Issue, WireMessage } from './wire-message.ts';

/** What a kind of message is for, when no resources are to be made of it. */
export interface Disposition {
  /** `query`, `order`, `answer`, `calibration` … */
  readonly code: string;
  /** For a person. */
  readonly text: string;
}

/** A search that a map wants answered before it maps: what is already known about the specimen, the order, the patient. */
export interface Question {
  readonly name: string;
  readonly type: string;
  /** A FHIR search query. */
  readonly query: string;
}

export type Answers = Readonly<Record<string, readonly FhirResource[]>>;

/** Which field made which element by which rule. */
export interface TraceLine {
  /** `OBX[3]-5.1`; undefined for a constant. */
  readonly from: string | undefined;
  /** `Observation[2].valueQuantity.value`. */
  readonly to: string;
  /** File and place of the rule. */
  readonly rule: string;
}

export interface MapResult {
  /** A transaction, or undefined when nothing is to be stored. */
  readonly bundle: Bundle | undefined;
  readonly issues: readonly Issue[];
  readonly trace: readonly TraceLine[];
  /** Valued fields from which nothing was made. */
  readonly unmapped: readonly string[];
}

export interface MapContext {
  /** Names the message in Provenance: its id in the message store. */
  readonly messageId: string;
  readonly receivedAt: number;
  readonly channel: string;
}

export type Selection =
  | { readonly kind: 'map'; readonly name: string }
  | { readonly kind: 'set-aside'; readonly disposition: Disposition }
  | { readonly kind: 'none' };

/** A map that waits for its answers. */
export interface Asking {
  readonly questions: readonly Question[];
  /** As `Mapper.map`. Nearly free where nothing was found: what finds the questions out makes that result. */
  answered(answers: Answers): MapResult;
}

export interface Mapper {
  /** Which map (or disposition) a message gets. */
  select(message: WireMessage): Selection;
  /** Names of all maps that are loaded. */
  readonly maps: readonly string[];
  /** What `map` needs to have answered. Throws Refusal `not-found` for an unknown map. */
  questions(message: WireMessage, map: string): readonly Question[];
  /** What `map` needs to have answered, and the way on from there. Throws as `questions`. */
  ask(message: WireMessage, map: string, context: MapContext): Asking;
  /** Pure: the same message, answers and context give the same result, ids included. Never throws for bad content: see issues. */
  map(message: WireMessage, map: string, answers: Answers, context: MapContext): MapResult;
}
