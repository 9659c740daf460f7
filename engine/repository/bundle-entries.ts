// The entries of a transaction or batch as they came, looked at before anything is done with them.
import type { Bundle } from '@medplum/fhirtypes';
import { badRequest, Refusal } from '../kernel/outcomes.ts';
import { isObject } from './admit.ts';
import { cascadeIn } from './cascade.ts';
import { readTargetOf, targetOf, type Target } from './request-url.ts';

const methods = ['DELETE', 'POST', 'PUT', 'PATCH', 'GET', 'HEAD'] as const;

export interface Request {
  /** Place in the Bundle, from 0. */
  readonly place: number;
  readonly fullUrl: string | undefined;
  readonly method: (typeof methods)[number];
  readonly target: Target;
  /** Of a DELETE: what refers to the resource goes with it. */
  readonly cascades: boolean;
  readonly resource: unknown;
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly ifModifiedSince: string | undefined;
  readonly ifNoneExist: string | undefined;
}

/** The raw entries; throws Refusal `bad-request` when this is not a list. */
export function entriesOf(bundle: Bundle): readonly unknown[] {
  const entries: unknown = bundle.entry ?? [];
  if (!Array.isArray(entries)) throw badRequest('Bundle.entry is a list', 'Bundle.entry');
  return entries;
}

/** Throws Refusal `bad-request` with the place in it. */
export function requestOf(entry: unknown, place: number, base: string): Request {
  return named(place, () => {
    if (!isObject(entry) || !isObject(entry['request'])) throw badRequest('the entry has no request');
    const { url, ifMatch, ifNoneMatch, ifModifiedSince, ifNoneExist } = entry['request'];
    const method = methodOf(entry['request']['method']);
    return {
      place,
      fullUrl: text(entry['fullUrl'], 'fullUrl'),
      method,
      ...targetIn(text(url, 'request.url') ?? '', method, base),
      resource: entry['resource'],
      ifMatch: text(ifMatch, 'request.ifMatch'),
      ifNoneMatch: text(ifNoneMatch, 'request.ifNoneMatch'),
      ifModifiedSince: text(ifModifiedSince, 'request.ifModifiedSince'),
      ifNoneExist: text(ifNoneExist, 'request.ifNoneExist'),
    };
  });
}

/** A DELETE has more in its url than what it is about; what is read may be anything. */
function targetIn(
  url: string,
  method: Request['method'],
  base: string,
): Pick<Request, 'target' | 'cascades'> {
  if (method === 'GET' || method === 'HEAD') return { target: readTargetOf(url, base), cascades: false };
  const mark = url.indexOf('?');
  if (method !== 'DELETE' || mark < 0) return { target: targetOf(url, base), cascades: false };
  const { criteria, cascades } = cascadeIn(url.slice(mark + 1));
  const path = url.slice(0, mark);
  return { target: targetOf(criteria === '' && cascades ? path : `${path}?${criteria}`, base), cascades };
}

function methodOf(written: unknown): Request['method'] {
  const method = methods.find((known) => known === written);
  if (method) return method;
  throw badRequest(`request.method is one of ${methods.join(', ')}`);
}

function text(value: unknown, name: string): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw badRequest(`${name} is a string`);
}

/** Runs `step`; a Refusal from it is thrown on with the place of the entry. */
export function named<T>(place: number, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw placed(error, place);
  }
}

export async function namedAsync<T>(place: number, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw placed(error, place);
  }
}

function placed(error: unknown, place: number): unknown {
  if (!(error instanceof Refusal)) return error;
  const inner = error.outcome.issue[0]?.expression?.[0] ?? '';
  const entry = `Bundle.entry[${place}]`;
  if (inner.startsWith(entry)) return error;
  // `Patient.id` is `Bundle.entry[3].resource.id` as seen from the Bundle.
  const element = /^[A-Z][A-Za-z]*\.(.+)$/.exec(inner)?.[1];
  const expression = element === undefined ? entry : `${entry}.resource.${element}`;
  return new Refusal(error.code, `entry ${place}: ${error.message}`, expression);
}
