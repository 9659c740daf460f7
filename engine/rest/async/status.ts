// GET and DELETE of the url that a request with `Prefer: respond-async` was given.
import { STATUS_CODES } from 'node:http';
import { headerOf, type Headers } from '../../auth/headers.ts';
import type { BodyStream } from '../../kernel/http-route.ts';
import { Refusal } from '../../kernel/outcomes.ts';
import type { FhirAnswer, FhirParts, Interaction } from '../interaction.ts';
import type { Later, Outcome } from './later.ts';
import type { Response } from './wrapped-form.ts';

const path = '/$async/:id';

/** Whether the client would rather ask again than wait. */
export const wantsLater = (headers: Headers): boolean =>
  /(?:^|[,;\s])respond-async(?:[,;\s]|$)/.test(headerOf(headers, 'prefer') ?? '');

/** 202, and where to ask. */
export const acceptedLater = (base: string, id: string): FhirAnswer => ({
  status: 202,
  headers: { 'content-location': `${base}${path.replace(':id', id)}`, 'preference-applied': 'respond-async' },
});

export const asyncStatusInteraction: Interaction = {
  name: 'async-status',
  method: 'GET',
  path,
  access: 'each',
  takes: 'nothing',
  answer: async (parts, { id, actor }) => {
    const outcome = laterOf(parts).outcomeOf(id, actor);
    if (!outcome) return { status: 202, headers: { 'x-progress': 'in progress', 'retry-after': '1' } };
    const { status, headers, body } = outcome;
    const response = responseOf(status, headers);
    if (!body || status >= 400) return { status: 200, body: refusedResult(response, body) };
    return { status: 200, body: resultBundle(response, body), result: { response, resource: body } };
  },
};

export const asyncCancelInteraction: Interaction = {
  name: 'async-status',
  method: 'DELETE',
  path,
  access: 'each',
  takes: 'nothing',
  answer: async (parts, { id, actor }) => {
    laterOf(parts).cancel(id, actor);
    return { status: 202 };
  },
};

function laterOf({ later }: FhirParts): Later {
  if (!later) throw new Refusal('not-found', 'nothing is answered later here');
  return later;
}

const copied = { location: 'location', etag: 'etag', 'last-modified': 'lastModified' } as const;

function responseOf(status: number, headers: Outcome['headers']): Response {
  const facts = Object.entries(copied).flatMap(([header, name]) => {
    const value = headers[header];
    return value === undefined
      ? []
      : [[name, name === 'lastModified' ? new Date(value).toISOString() : value]];
  });
  return {
    status: `${status} ${STATUS_CODES[status] ?? ''}`.trim(),
    ...Object.fromEntries(facts),
  } as Response;
}

const opening = '{"resourceType":"Bundle","type":"batch-response","entry":[{';

/** A Bundle of type batch-response, whose one entry is what would have been answered at once. */
async function* resultBundle(response: Response, body: AsyncIterable<Uint8Array>): BodyStream {
  yield `${opening}"resource":`;
  yield* body;
  yield `,"response":${JSON.stringify(response)}}]}`;
}

/** The same for what was refused, or has no body. */
async function* refusedResult(response: Response, body: Outcome['body']): BodyStream {
  yield `${opening}"response":${JSON.stringify(response).slice(0, -1)}`;
  if (body) {
    yield ',"outcome":';
    yield* body;
  }
  yield '}}]}';
}
