// What the rules of the repository work with: the parts of the engine, and one transaction of one actor.
import type { FhirResource } from '../fhir/resource.ts';
import type { Shapes } from '../fhir/shapes/shape.ts';
import type { Actor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import type { SearchIndex } from '../search/search-index.ts';
import type { ContentWriter } from '../storage/content-store.ts';
import type { MessageWriter } from '../storage/message-store.ts';
import type { ResourceReader, ResourceWriter } from '../storage/resource-store.ts';
import type { Integrity } from './integrity.ts';
import type { Change } from './repository.ts';
import type { TerminologyMemory } from './terminology-memory.ts';

export interface Parts {
  readonly index: SearchIndex;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Gives the public FHIR base, without a slash at its end. */
  readonly base: () => string;
  /** Whether what is referred to must be there; true unless told otherwise. */
  readonly referentialIntegrity?: boolean;
  /** The shapes of R4, which FHIRPath patches go by. */
  readonly shapes: () => Shapes;
}

/** Reading alone: of what is committed, or of what a transaction sees. */
export interface Reading {
  readonly parts: Parts;
  readonly resources: ResourceReader;
  /** Of what is committed; a transaction has none, since it sees what nobody else does. */
  readonly terminology?: TerminologyMemory;
}

/** One transaction. */
export interface Work extends Reading {
  readonly resources: ResourceWriter;
  readonly messages: MessageWriter;
  readonly contents: ContentWriter;
  readonly actor: Actor;
  /** When it began, ms since 1970: all its versions carry this time. */
  readonly at: number;
  readonly integrity: Integrity;
  /** Tells the listeners, inside this transaction. */
  announce(change: Change): Promise<void>;
}

/** A resource whose type is known and whose shape has been looked at. */
export interface Admitted {
  readonly type: string;
  readonly resource: FhirResource;
}
