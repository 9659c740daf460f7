// Step 7 of processing: deliveries for the channel's destinations, in the commit that stored what the message says.
import { createHash } from 'node:crypto';
import { writeJson } from '../fhir/exact-json.ts';
import type { Bundle } from '@medplum/fhirtypes';
import { formatInstant } from '../fhir/instants.ts';
import type { NewDelivery } from '../storage/message-store.ts';
import { readMessagePath } from './channels/message-path.ts';
import type { Committed, ProcessingParts, Route } from './stages.ts';

export async function route(message: Committed, parts: ProcessingParts): Promise<Committed> {
  const { meaning, record } = message;
  if (meaning.kind === 'set-aside' && meaning.isFiltered === true) return message;
  for (const one of parts.settingsOf(record.channel).routes ?? []) {
    if (!one.tests.every((test) => test(message.wire))) continue;
    const delivery = deliveryOf(message, one, parts);
    if (delivery !== undefined) await parts.unit.messages.enqueue(delivery);
  }
  return message;
}

type Content = Pick<NewDelivery, 'contentType' | 'payload'>;

/** Undefined where a message has no such body: one without resources sends none. */
const bodies: Readonly<Record<Route['body'], (message: Committed) => Content | undefined>> = {
  raw: ({ record, raw }) => ({ contentType: record.format, payload: raw }),
  fhir: ({ meaning }) =>
    meaning.kind === 'resources'
      ? { contentType: 'application/fhir+json', payload: bundleBytes(meaning.bundle) }
      : undefined,
  facts: ({ record }) => {
    const { id, channel, controlId, messageType, state, map, effects } = record;
    const receivedAt = formatInstant(record.receivedAt);
    const facts = { id, channel, controlId, messageType, receivedAt, state, map, effects };
    return { contentType: 'application/json', payload: Buffer.from(JSON.stringify(facts)) };
  },
};

export const bundleBytes = (bundle: Bundle): Buffer => Buffer.from(writeJson(bundle));

/** Undefined where the message has nothing of what the destination is sent. */
export function deliveryOf(
  message: Committed,
  one: Route,
  { ids, clock, tracer }: Pick<ProcessingParts, 'ids' | 'clock' | 'tracer'>,
): NewDelivery | undefined {
  const content = bodies[one.body](message);
  if (content === undefined) return undefined;
  const id = ids.next();
  const destination = `send:${one.destination}`;
  const within = one.lane === 'none' ? id : laneWithin(message, one.lane);
  const lane = within === undefined ? destination : `${destination}/${within}`;
  const trace = tracer?.current() ?? message.record.trace;
  const facts = { id, destination, lane, createdAt: clock.now(), cause: message.record.id };
  return { ...facts, ...content, ...(trace === undefined ? {} : { trace }) };
}

const lanePaths = {
  destination: [],
  patient: ['PID-3', 'PID-2', 'P-3', 'P-4'],
  order: ['ORC-2', 'OBR-2', 'ORC-3', 'OBR-3', 'O-3'],
} as const satisfies Record<Exclude<Route['lane'], 'none'>, readonly string[]>;

/** A digest, so that the lane's name says nothing of the patient. Messages that name nobody share the destination's own lane. */
function laneWithin({ wire }: Committed, lane: keyof typeof lanePaths): string | undefined {
  const [first] = lanePaths[lane].flatMap((text) => readMessagePath(text)?.(wire).slice(0, 1) ?? []);
  return first === undefined ? undefined : createHash('sha256').update(first).digest('hex').slice(0, 16);
}
