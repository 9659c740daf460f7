// What the maps can do: the face of engine/mapping that the other parts see.
import type { Bundle } from '@medplum/fhirtypes';
import type { FhirResource } from '../fhir/resource.ts';
import type { OutgoingSegment } from './outgoing-message.ts';
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
  /** Where the query asks for nothing but these. */
  readonly ids?: readonly string[];
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

/** demographics: who fits a description. identifiers: what other numbers a patient has. work: what is ordered for a sample. */
export type QueryKind = 'demographics' | 'identifiers' | 'work';

/** MSH-3 to MSH-6: name, id, and what kind of id. */
export interface QueryParty {
  readonly name?: string;
  readonly id?: string;
  readonly type?: string;
}

/** What an answer says besides what was found. */
export interface QueryHeader {
  /** Instant of the answer. */
  readonly at: string;
  readonly controlId: string;
  /** MSH-10 of what follows the answer. */
  readonly followId: string;
  /** MSH-10 of the query. */
  readonly queryId: string;
  readonly sendingApplication: QueryParty;
  readonly sendingFacility: QueryParty;
  readonly receivingApplication: QueryParty;
  readonly receivingFacility: QueryParty;
  /** MSH-11 and MSH-12 of the query; '' where it has none. */
  readonly processing: string;
  readonly version: string;
  /** DSC-1: there is more, from here on. */
  readonly continuation?: string;
}

export interface QueryAnswer {
  readonly segments: readonly OutgoingSegment[];
  /** A message of its own that is sent besides. */
  readonly follow?: readonly OutgoingSegment[];
}

/** A query, as its map reads it. */
export interface AskedQuery {
  readonly name: string;
  readonly kind: QueryKind;
  readonly questions: readonly Question[];
  /** The question of which an answer may hold one page only. */
  readonly pages: string | undefined;
  /** With what was found; where the query itself is wrong, the answer says so. Throws Refusal `unprocessable` where the map cannot. */
  answer(found: Answers, header: QueryHeader): QueryAnswer;
  /** AR: it will not be answered. AE: it could not be. */
  refuse(code: 'AE' | 'AR', why: Pick<Issue, 'code' | 'text'>, header: QueryHeader): QueryAnswer;
}

/** Reads queries. */
export interface QueryReader {
  /** Undefined where no map takes the message for a query. */
  query(message: WireMessage): AskedQuery | undefined;
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
