// A flow's subscription understood: what it listens for, as a FHIR Subscription and as something to match changes with.
// https://hl7.org/fhir/R4/subscription.html
import { createHash } from 'node:crypto';
import { parseResource } from '../fhir/exact-json.ts';
import type { FhirResource } from '../fhir/resource.ts';
import { badRequest } from '../kernel/outcomes.ts';
import type { Condition } from '../search/plan.ts';
import type { SearchIndex } from '../search/search-index.ts';
import type { FlowSubscription } from './flow-port.ts';

export type Listening =
  | { readonly kind: 'resource'; readonly name: string; readonly type: string; readonly where: Condition }
  | {
      readonly kind: 'message';
      readonly name: string;
      readonly channel: string;
      readonly messageType: string;
    };

const name = /^[^\p{Cc}*]{1,100}$/u;
const endpointPrefix = 'urn:kiungo:flow:';
const messageCriteria = 'urn:kiungo:message?';
const longestCriteria = 2_000;

/** Throws Refusal `bad-request` or `unknown-parameter`, saying which subscription is meant. */
export function understand(subscription: FlowSubscription, index: SearchIndex): Listening {
  if (!name.test(subscription.name)) {
    throw badRequest('the name of a subscription has 1 to 100 characters, no control characters and no *');
  }
  if (subscription.kind === 'message') return subscription;
  const { criteria } = subscription;
  if (criteria.length > longestCriteria) throw refused(subscription.name, 'the criteria are too long');
  const [type = '', query = ''] = splitAt(criteria, '?');
  if (!index.isType(type)) throw refused(subscription.name, 'the criteria begin with no R4 resource type');
  const search = { lenient: false, base: '', defaultCount: 1, maximumCount: 1 };
  const { plan } = index.request(type, query, search);
  if (isChained(plan.where)) {
    throw refused(subscription.name, 'chained criteria cannot be matched to a change');
  }
  return { kind: 'resource', name: subscription.name, type, where: plan.where };
}

const refused = (subscription: string, text: string): Error =>
  badRequest(`subscription ${subscription}: ${text}`);

/** Chains look at other resources than the changed one. */
function isChained(condition: Condition): boolean {
  switch (condition.op) {
    case 'points-at':
    case 'pointed-at-by':
      return true;
    case 'and':
    case 'or':
      return condition.of.some(isChained);
    case 'not':
      return isChained(condition.of);
    case 'every':
    case 'none':
    case 'leaf':
      return false;
  }
}

/** The same name always makes the same resource, so that a subscription keeps its history over deployments. */
export function toResource(subscription: FlowSubscription, status: 'active' | 'off'): FhirResource {
  return {
    resourceType: 'Subscription',
    id: `flow-${createHash('sha256').update(subscription.name).digest('hex').slice(0, 32)}`,
    status,
    reason: `Events for the flow subscription ${subscription.name}`,
    criteria: subscription.kind === 'resource' ? subscription.criteria : criteriaOf(subscription),
    channel: { type: 'message', endpoint: `${endpointPrefix}${encodeURIComponent(subscription.name)}` },
  };
}

const criteriaOf = ({ channel, messageType }: Extract<FlowSubscription, { kind: 'message' }>): string =>
  `${messageCriteria}${new URLSearchParams({ type: messageType, channel }).toString()}`;

/** Reads what `toResource` wrote; undefined for Subscriptions that are not a flow's. */
export function fromResource(body: string): FlowSubscription | undefined {
  const { criteria, channel } = parseResource(body) as FhirResource & {
    readonly criteria?: unknown;
    readonly channel?: { readonly endpoint?: unknown };
  };
  const endpoint = channel?.endpoint;
  if (typeof endpoint !== 'string' || !endpoint.startsWith(endpointPrefix)) return undefined;
  if (typeof criteria !== 'string') return undefined;
  const subscription = decodeURIComponent(endpoint.slice(endpointPrefix.length));
  if (!criteria.startsWith(messageCriteria)) return { kind: 'resource', name: subscription, criteria };
  const asked = new URLSearchParams(criteria.slice(messageCriteria.length));
  const channelName = asked.get('channel') ?? '';
  return { kind: 'message', name: subscription, channel: channelName, messageType: asked.get('type') ?? '' };
}

function splitAt(text: string, mark: string): readonly string[] {
  const at = text.indexOf(mark);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
