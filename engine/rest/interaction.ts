// What a FHIR interaction is to this server: a row with its path, what it needs, and what answers it. Express is not met here.
import type { IncomingMessage } from 'node:http';
import type { CapabilityStatementRestResource } from '@medplum/fhirtypes';
import type { Letter } from '../auth/scopes.ts';
import type { FhirResource } from '../fhir/resource.ts';
import type { Shapes } from '../fhir/shapes/shape.ts';
import type { Actor } from '../kernel/actor.ts';
import type { BodyStream } from '../kernel/http-route.ts';
import type { Logger } from '../kernel/logger.ts';
import type { ConditionalRepository } from '../repository/create-repository.ts';
import type { Reindexing } from '../repository/reindex.ts';
import type { SearchIndex } from '../search/search-index.ts';
import type { KeptContent, StoredContent } from '../storage/content-store.ts';
import type { Headers } from '../auth/headers.ts';
import type { Later } from './async/later.ts';
import type { Response } from './async/wrapped-form.ts';

export interface FhirParts {
  readonly repository: ConditionalRepository;
  readonly index: SearchIndex;
  /** The shapes of R4, loaded when they are first asked for. */
  readonly shapes: () => Shapes;
  /** The URL by which this request came, as far as that is known; without a slash at its end. */
  readonly publicUrl: (request: IncomingMessage) => string;
  readonly version: string;
  readonly logger: Logger;
  /** Where requests wait that are to be answered later; undefined: all are answered at once. */
  readonly later: Later | undefined;
  /** undefined: nothing is indexed again here. */
  readonly reindexing: Reindexing | undefined;
  /** Whether pages from elsewhere may ask. */
  readonly cors: boolean;
  /** When this server was put together, ms since 1970. */
  readonly startedAt: number;
}

/** One request, read and let in. */
export interface Exchange {
  readonly actor: Actor;
  /** From the path: known to be a resource type; '' where the path has none. */
  readonly type: string;
  readonly id: string;
  readonly version: string;
  /** The type whose compartment is asked for; '' where none is. */
  readonly compartment: string;
  /** As after the `?`, without `_format` and `_pretty`. */
  readonly query: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** What was sent, where it is read already. */
  readonly resource?: FhirResource;
  /** Of a Binary that was sent as its content: what is kept apart already. */
  readonly content?: KeptContent;
  /** Without a slash at its end; `base` lies under it. */
  readonly publicUrl: string;
  /** The public FHIR base, without a slash at its end. */
  readonly base: string;
}

export interface FhirAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON text, whole or as a stream; bytes are of the content type in the headers. */
  readonly body?: string | BodyStream;
  /** What the resource in `body` has apart from it. */
  readonly content?: StoredContent;
  /** A stream's pieces are those of fhir/bundles.ts: each entry is one. */
  readonly byEntry?: boolean;
  /** What `body`, a stream, tells of a request that was answered later. Either is read, not both. */
  readonly result?: { readonly response: Response; readonly resource: AsyncIterable<Uint8Array> };
}

export interface Interaction {
  /** Names it in metrics, and in the CapabilityStatement where `capability` says so. */
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Under the FHIR base; `:type`, `:id`, `:version`, `:compartment`. */
  readonly path: string;
  /** The letter of the scope that is needed for the type; `public`: open to anyone; `each`: asked of each entry. */
  readonly access: Letter | 'public' | 'each';
  readonly takes: 'nothing' | 'resource' | 'patch' | 'form';
  readonly capability?: Capability;
  /** It may take long, and can be answered later: https://hl7.org/fhir/R4/async.html */
  readonly mayWait?: boolean;
  answer(parts: FhirParts, exchange: Exchange): Promise<FhirAnswer>;
}

/** What the CapabilityStatement says because this interaction is there. */
export interface Capability {
  readonly level: 'type' | 'system';
  /** https://hl7.org/fhir/R4/valueset-type-restful-interaction.html, valueset-system-restful-interaction.html */
  readonly codes: readonly string[];
  readonly resource?: Partial<CapabilityStatementRestResource>;
  readonly operation?: Operation;
}

/** An operation as the CapabilityStatement lists it: without the `$`, and the canonical url of its definition. */
export interface Operation {
  readonly name: string;
  readonly definition: string;
  /** Of these types alone; undefined: of every type. */
  readonly types?: readonly string[];
}

/** Where the FHIR base lies under the public URL. */
export const fhirPath = '/fhir/R4';

/** Names of the interactions that answer with one resource, which may be a Bundle that somebody stored. */
export const answersWithOne: ReadonlySet<string> = new Set(['read', 'vread', 'capabilities']);
