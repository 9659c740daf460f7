// Messages and deliveries as the admin API shows them: never their bytes, nor anything of a patient.
import { formatInstant } from '../../fhir/instants.ts';
import type { Delivery, ListedDelivery, MessageRecord } from '../../storage/message-store.ts';

export function viewMessage(message: MessageRecord): object {
  const { answer, receivedAt, dueAt, ...facts } = message;
  return {
    ...facts,
    receivedAt: formatInstant(receivedAt),
    // Only what waits has a time at which it is due.
    ...(message.state === 'received' ? { dueAt: formatInstant(dueAt) } : {}),
    answered: answer !== undefined,
  };
}

export function viewDelivery(delivery: Delivery | ListedDelivery): object {
  const { id, destination, lane, cause, state, attempts, reason, contentType } = delivery;
  return {
    ...{ id, destination, lane, cause, state, attempts, reason, contentType },
    size: 'payload' in delivery ? delivery.payload.byteLength : delivery.size,
    answered: delivery.response !== undefined,
    ...(delivery.settledAt === undefined ? {} : { settledAt: formatInstant(delivery.settledAt) }),
    createdAt: formatInstant(delivery.createdAt),
    ...(state === 'waiting' ? { dueAt: formatInstant(delivery.dueAt) } : {}),
    ...(state === 'leased' ? { leasedUntil: formatInstant(delivery.leasedUntil) } : {}),
  };
}
