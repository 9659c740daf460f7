// What is answered where no endpoint is: a known path with another method, or a path that nobody knows.
import type { HttpRoute } from '../kernel/http-route.ts';
import { Refusal } from '../kernel/outcomes.ts';
import type { Endpoint } from './endpoint.ts';
import { outcomeAnswer } from './refusal-answer.ts';

export function methodsByPath(
  mounted: readonly Pick<HttpRoute, 'method' | 'path'>[],
): ReadonlyMap<string, readonly string[]> {
  const byPath = new Map<string, readonly string[]>();
  for (const { method, path } of mounted) byPath.set(path, [...(byPath.get(path) ?? []), method]);
  return byPath;
}

/** 405 and the methods that are offered: https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6 */
export function methodNotAllowed(methods: readonly string[]): Endpoint {
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])].join(', ');
  const refusal = new Refusal('method-not-allowed', `this method is not offered here; these are: ${allow}`);
  return { name: refusal.code, access: 'signed-in', answer: async () => outcomeAnswer(refusal, { allow }) };
}

const unknown = new Refusal('not-found', 'there is nothing here');

export const nothingHere: Endpoint = {
  name: unknown.code,
  access: 'signed-in',
  answer: async () => outcomeAnswer(unknown),
};

const unknownOperation = new Refusal(
  'not-found',
  'there is no such operation here; the capabilities list those that there are, and where',
);

export const noOperation: Endpoint = {
  name: unknownOperation.code,
  access: 'signed-in',
  answer: async () => outcomeAnswer(unknownOperation),
};
