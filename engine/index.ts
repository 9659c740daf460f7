// The front door for guests: adapters and flows import this file and nothing else of the engine.
export type { Clock } from './kernel/clock.ts';
export type { Ids } from './kernel/ids.ts';
export type { Logger } from './kernel/logger.ts';
export { Refusal } from './kernel/outcomes.ts';
export { createRounds } from './kernel/rounds.ts';
export type { RetryClass } from './kernel/failures.ts';
export type { FhirResource } from './fhir/resource.ts';
export type { Schedule } from './jobs/schedule.ts';
export type { OutgoingSegment } from './mapping/outgoing-message.ts';
export type { Issue, WireMessage, WireSegment } from './mapping/wire-message.ts';
export type {
  Acknowledgement,
  AcknowledgementCode,
  AcknowledgementWish,
  Arrival,
  Envelope,
  Inbox,
  MessageBatch,
  MessageFormat,
  Receipt,
  Sender,
  SendResult,
} from './messages/ports.ts';
export type { FlowEffect, FlowEvent, FlowPort, FlowSubscription } from './subscriptions/flow-port.ts';
