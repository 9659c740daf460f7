// What our nodes are made with: the nodes themselves (flows/nodes) only translate between this and the editor.
import { createHash } from 'node:crypto';
import type { FhirResource, FlowSubscription } from '../../engine/index.ts';
import type { Message, Node, NodeRed } from 'node-red';
import { ChannelFailure, type Channel } from '../channel.ts';
import { parseForFlow, stringifyFromFlow } from '../exact-numbers.ts';
import { FlowNodeError } from './error-text.ts';
import type { EventDesk, Listener } from './event-desk.ts';
import { questions } from './insert.ts';
import type { LeasedEvent } from './leased-event.ts';
import type { Tries } from './tries.ts';

/** Handed to the nodes as `RED.settings.kiungo`. Its errors carry no patient data, unless said otherwise. */
export interface NodesKit {
  /** Refuses a subscription name that another node has.  */
  listen(node: Node, subscription: FlowSubscription, maxInFlight: number): void;
  unlisten(node: Node): void;
  /** The resources that a template asks for, in its order. Where one is missing, or is not named: refused, unless `optional`. */
  read(template: string, message: Message, optional: boolean): Promise<readonly FhirResource[]>;
  /** Collects a write; answers the resource with the id that it will have. */
  write(node: Node, message: Message, resource: unknown): FhirResource & { readonly id: string };
  /** Collects a send. An object is sent as JSON. The lane is a template too; an empty one is none. */
  send(message: Message, wanted: WantedSend): void;
}

export interface WantedSend {
  readonly destination: string;
  readonly lane: string;
  readonly contentType: string;
  /** An outbound map: the body is then a resource, or a reference to one, of which the engine makes a message. */
  readonly map: string;
  /** Of the message that the map makes: `application|facility`; '' for nobody in particular. */
  readonly receiver: string;
  readonly body: unknown;
}

const readMs = 20_000;
const missing = new Set(['not-found', 'gone']);
const readsAtATime = 8;

export function createNodesKit(
  channel: Channel,
  desk: EventDesk,
  tries: Tries,
  property: NodeRed['util']['getMessageProperty'],
): NodesKit {
  const ask = async (question: string, optional: boolean): Promise<readonly FhirResource[]> => {
    if (question.includes('?')) {
      return (await channel.request('search', { query: question }, readMs)) as readonly FhirResource[];
    }
    try {
      return [(await channel.request('read', { reference: question }, readMs)) as FhirResource];
    } catch (failure) {
      if (optional && failure instanceof ChannelFailure && missing.has(failure.code)) return [];
      throw failure;
    }
  };

  return {
    listen: (node, subscription, maxInFlight) => desk.add(listenerOf(node, subscription, maxInFlight)),
    unlisten: (node) => desk.remove(node.id),
    async read(template, message, optional) {
      const asked = questions(template, (expression) => property(message, expression));
      if (asked.length === 0 && !optional) {
        throw new FlowNodeError('what this node is to read is not named in the message');
      }
      const found: FhirResource[] = [];
      for (let at = 0; at < asked.length; at += readsAtATime) {
        const some = asked.slice(at, at + readsAtATime).map((question) => ask(question, optional));
        found.push(...(await Promise.all(some)).flat());
      }
      return found;
    },
    write(node, message, resource) {
      const checked = resourceOf(resource);
      const { eventId, ordinal } = tries.nextOrdinal(message._kiungo, node.id);
      const named = { ...checked, id: checked.id ?? idFor(eventId, node.id, ordinal) };
      tries.addEffect(message._kiungo, { kind: 'write', resource: exactCopy(named) });
      return named;
    },
    send(message, { destination, lane, contentType, map, receiver, body }) {
      if (destination.trim() === '') throw new FlowNodeError('no destination is given');
      const [filled] = lane === '' ? [] : questions(lane, (expression) => property(message, expression));
      const way = { destination: destination.trim(), ...(filled === undefined ? {} : { lane: filled }) };
      tries.addEffect(
        message._kiungo,
        map === ''
          ? { kind: 'send', ...way, contentType, body: bodyOf(body) }
          : { kind: 'send-message', ...way, map, reference: referenceOf(body), ...toReceiver(receiver) },
      );
    },
  };
}

/** MSH-5 and MSH-6: `RIS`, or `RIS|WEST`. */
function toReceiver(text: string): {
  readonly receiver?: { readonly application?: string; readonly facility?: string };
} {
  const [application = '', facility = ''] = text.split('|').map((part) => part.trim());
  if (application === '' && facility === '') return {};
  return {
    receiver: { ...(application === '' ? {} : { application }), ...(facility === '' ? {} : { facility }) },
  };
}

const dots = { listening: 'green', busy: 'blue', refused: 'red' } as const;

function listenerOf(node: Node, subscription: FlowSubscription, maxInFlight: number): Listener {
  return {
    nodeId: node.id,
    subscription,
    maxInFlight,
    deliver: (event, key) => node.send({ ...firstMessage(event), _kiungo: key }),
    show: (state, text) =>
      node.status({
        fill: dots[state],
        shape: state === 'busy' ? 'dot' : 'ring',
        text: state === 'listening' ? '' : text,
      }),
  };
}

function firstMessage({ id, attempts, content }: LeasedEvent): Message {
  if (content.kind === 'message') {
    const { messageId, messageType, text } = content;
    return { payload: text, topic: messageType, event: { id, attempts, messageId, messageType } };
  }
  const { reference, version, change, resource } = content;
  return { payload: resource, topic: reference, event: { id, attempts, reference, version, change } };
}

/** The same at every try of the same event, so that a flow that is tried again writes the same resource: a UUID of version 8. */
function idFor(eventId: string, nodeId: string, ordinal: number): string {
  const bytes = createHash('sha256')
    .update(JSON.stringify([eventId, nodeId, ordinal]))
    .digest()
    .subarray(0, 16);
  bytes[6] = (bytes.readUInt8(6) & 0x0f) | 0x80;
  bytes[8] = (bytes.readUInt8(8) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function resourceOf(value: unknown): FhirResource {
  if (typeof value === 'object' && value !== null && 'resourceType' in value) {
    if (typeof value.resourceType === 'string') return value as FhirResource;
  }
  throw new FlowNodeError('what is to be written is no FHIR resource: it has no resourceType');
}

/** Of this version, where the resource names one: what happened is told by the step to it. */
function referenceOf(body: unknown): string {
  if (typeof body === 'string') return body;
  const { resourceType, id, meta } = resourceOf(body);
  if (id === undefined) throw new FlowNodeError('the resource to be told of has no id');
  const { versionId } = meta ?? {};
  return versionId === undefined ? `${resourceType}/${id}` : `${resourceType}/${id}/_history/${versionId}`;
}

function bodyOf(body: unknown): string {
  if (typeof body === 'string') return body;
  if (typeof body === 'object' && body !== null && !Buffer.isBuffer(body)) return stringifyFromFlow(body);
  throw new FlowNodeError('what is to be sent is neither a text nor an object');
}

/** Later nodes may change the message; what was to be written stays as it was at this node. */
const exactCopy = (resource: FhirResource): FhirResource =>
  parseForFlow(stringifyFromFlow(resource)) as FhirResource;
