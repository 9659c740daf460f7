// The one door between the engine and the flows process. Events are leased; a flow's writes and sends are handed over with its
// acknowledgement and commit with it, so that a flow that fails half-way has done nothing.
import type { FhirResource } from '../fhir/resource.ts';

/** What a flow listens for. */
export type FlowSubscription =
  | {
      readonly kind: 'resource';
      /** Stable over deployments: events are kept under it. */
      readonly name: string;
      /** `DiagnosticReport?status=preliminary` */
      readonly criteria: string;
    }
  | {
      readonly kind: 'message';
      readonly name: string;
      /** Empty: any. */
      readonly channel: string;
      readonly messageType: string;
    };

export interface FlowEvent {
  readonly id: string;
  readonly lease: string;
  readonly subscription: string;
  readonly attempts: number;
  readonly leasedUntil: number;
  readonly content:
    | {
        readonly kind: 'resource';
        readonly reference: string;
        readonly version: number;
        readonly change: 'created' | 'updated' | 'deleted';
        readonly resource: FhirResource | undefined;
      }
    | {
        readonly kind: 'message';
        readonly messageId: string;
        readonly messageType: string;
        readonly text: string;
      };
}

/** What a flow wants done; nothing is done before `complete`. */
export type FlowEffect =
  /** Created under the given id if it has one (so a retried flow writes the same), updated when it exists. */
  | { readonly kind: 'write'; readonly resource: FhirResource }
  | {
      readonly kind: 'send';
      readonly destination: string;
      readonly lane?: string;
      readonly contentType: string;
      readonly body: string;
    }
  /** A message that an outbound map makes of a resource as it is when the flow is done, or as it was in the version that is named. */
  | {
      readonly kind: 'send-message';
      readonly destination: string;
      readonly lane?: string;
      readonly map: string;
      /** `Encounter/1/_history/3`: what happened is told by the step from the version before. */
      readonly reference: string;
      /** MSH-5 and MSH-6. */
      readonly receiver?: { readonly application?: string; readonly facility?: string };
    };

export interface FlowPort {
  /** What the deployed flows listen for, as a whole; what is no longer named stops making events, its waiting events stay. */
  subscribe(subscriptions: readonly FlowSubscription[]): Promise<void>;
  lease(limit: number): Promise<readonly FlowEvent[]>;
  /** One commit: the effects and the end of the event. Refusal `conflict` when the lease has run out. */
  complete(eventId: string, lease: string, effects: readonly FlowEffect[]): Promise<void>;
  /** Tried again with back-off, then put with the dead letters. `text` without patient data. */
  fail(eventId: string, lease: string, text: string): Promise<void>;
  read(reference: string): Promise<FhirResource>;
  /** `Observation?subject=Patient/1` → the matches of one page and what they include. */
  search(query: string): Promise<readonly FhirResource[]>;
  /** Calls when events may be waiting. */
  onEvents(listener: () => void): void;
}
