// GET and DELETE of the url that a request with `Prefer: respond-async` was given.
import { STATUS_CODES } from 'node:http';
import { headerOf, type Headers } from '../../auth/headers.ts';
import type { BodyStream } from '../../kernel/http-route.ts';
import { Refusal } from '../../kernel/outcomes.ts';
import type { FhirAnswer, FhirParts, Interaction } from '../interaction.ts';
import type { Later, Outcome } from './later.ts';

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
    return { status: 200, body: resultBundle(outcome) };
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

/** A Bundle of type batch-response, whose one entry is what would have been answered at once. */
async function* resultBundle({ status, headers, body }: Outcome): BodyStream {
  const facts = Object.entries(copied).flatMap(([header, name]) => {
    const value = headers[header];
    return value === undefined
      ? []
      : [[name, name === 'lastModified' ? new Date(value).toISOString() : value]];
  });
  const response = JSON.stringify({
    status: `${status} ${STATUS_CODES[status] ?? ''}`.trim(),
    ...Object.fromEntries(facts),
  });
  yield '{"resourceType":"Bundle","type":"batch-response","entry":[{';
  if (!body) yield `"response":${response}`;
  else if (status >= 400) {
    yield `"response":${response.slice(0, -1)},"outcome":`;
    yield* body;
    yield '}';
  } else {
    yield '"resource":';
    yield* body;
    yield `,"response":${response}`;
  }
  yield '}]}';
}
