// A channel as the engine runs it: what can be worked out from its definition is worked out once.
import type { RetryPolicy } from '../retry.ts';
import { retryPolicies } from '../retry.ts';
import type { AllowedQueries, ChannelSettings, Route } from '../stages.ts';
import type {
  ChannelDefinition,
  DestinationDefinition,
  QueryDefinition,
  RetryDefinition,
} from './channel.ts';
import { compileCondition } from './condition.ts';
import { readMessagePath } from './message-path.ts';

/** Throws SyntaxError for a path that is none; the schema has refused it before. */
export function compileChannel(channel: ChannelDefinition): ChannelSettings {
  const { acknowledgements = {}, filters = [], destinations = [], source, retry, index = {} } = channel;
  return {
    acknowledgements: acknowledgements.mode ?? 'as-asked',
    batchAnswers: acknowledgements.batch ?? 'all',
    charset: source.charset,
    filters: filters.map((filter) => ({ place: filter.path, test: compileCondition(filter) })),
    map: channel.map ?? 'auto',
    routes: destinations.map((destination) => routeOf(channel.name, destination)),
    ...(retry === undefined ? {} : { retry: policyOf(retry, retryPolicies.processing) }),
    storage: channel.storage ?? 'body',
    index: Object.entries(index).flatMap(([name, text]) => {
      const path = readMessagePath(text);
      return path === undefined ? [] : [{ name, path }];
    }),
    ...(channel.textIndex === false ? { textIndex: false } : {}),
    retention: channel.retention ?? {},
    ...(channel.queries === undefined ? {} : { queries: queriesOf(channel.name, channel.queries) }),
  };
}

function queriesOf(channel: string, { demographics, identifiers, work }: QueryDefinition): AllowedQueries {
  return {
    ...(demographics === true ? { demographics } : {}),
    ...(identifiers === true ? { identifiers } : {}),
    ...(work === undefined ? {} : { work: { destination: destinationName(channel, work) } }),
  };
}

/** The name under which the outbox knows a channel's destination. */
export const destinationName = (channel: string, destination: string): string => `${channel}.${destination}`;

function routeOf(
  channel: string,
  { name, body = 'raw', when = [], lane = 'destination' }: DestinationDefinition,
): Route {
  return { destination: destinationName(channel, name), body, lane, tests: when.map(compileCondition) };
}

/** What a definition leaves out is as in the usual policy. */
export function policyOf(
  { delaysSeconds, tries, ambiguous }: RetryDefinition,
  usual: RetryPolicy,
): RetryPolicy {
  const [first, ...later] = delaysSeconds ?? [];
  const delaysMs: RetryPolicy['delaysMs'] =
    first === undefined ? usual.delaysMs : [first * 1000, ...later.map((delay) => delay * 1000)];
  return { delaysMs, tries: tries ?? usual.tries, ambiguous: ambiguous ?? usual.ambiguous };
}
