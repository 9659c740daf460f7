// What a client gets when a request is refused or fails: always an OperationOutcome, or the way to the sign-in page.
import type { HttpAnswer } from '../kernel/http-route.ts';
import type { FailureCode } from '../kernel/failures.ts';
import type { Logger } from '../kernel/logger.ts';
import { badRequest, Refusal } from '../kernel/outcomes.ts';
import type { Headers } from '../auth/headers.ts';
import { fhirJson } from './negotiate.ts';

/** What is known of a request that failed. */
export interface Failed {
  readonly name: string;
  readonly correlationId: string;
  readonly method: string;
  readonly url: string;
  /** What stands before our paths as the client sees them. */
  readonly root: string;
  readonly headers: Headers;
}

/** Logs a defect with its cause; what was refused by design is said at debug. */
export function answerFailure(error: unknown, failed: Failed, logger: Logger): HttpAnswer {
  const refusal = asRefusal(error);
  const { name, correlationId } = failed;
  if (!refusal) {
    logger.error({ correlationId, interaction: name }, 'a request failed by a defect', error);
    return outcomeAnswer(defect(correlationId));
  }
  const { code, status } = refusal;
  logger.debug({ correlationId, interaction: name, code, status }, 'a request was refused');
  return code === 'unauthorized' ? unauthorized(refusal, failed) : outcomeAnswer(refusal);
}

/** Express says with a status of 400 what it cannot read of a url. */
function asRefusal(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  const malformed =
    error instanceof URIError || (error instanceof Error && 'status' in error && error.status === 400);
  return malformed ? badRequest('the url is not percent-encoded as it should be') : undefined;
}

const defect = (correlationId: string): Refusal =>
  new Refusal('defect', `this is our fault; it is in the log under ${correlationId}`);

/** What passes by itself: when to ask again, seconds. */
const waits: Partial<Record<FailureCode, Readonly<Record<string, string>>>> = {
  unavailable: { 'retry-after': '2' },
  'too-many-requests': { 'retry-after': '10' },
};

export function outcomeAnswer(refusal: Refusal, more: Readonly<Record<string, string>> = {}): HttpAnswer {
  return {
    status: refusal.status,
    headers: { 'content-type': fhirJson, ...waits[refusal.code], ...more },
    body: JSON.stringify(refusal.outcome),
  };
}

function unauthorized(refusal: Refusal, { method, url, root, headers }: Failed): HttpAnswer {
  const presented = headers['authorization'] !== undefined;
  if (!presented && isNavigation(method, headers)) {
    return { status: 302, headers: { location: `${root}/sign-in?next=${encodeURIComponent(url)}` } };
  }
  // https://www.rfc-editor.org/rfc/rfc6750#section-3
  const challenge = `Bearer realm="Kiungo"${presented ? ', error="invalid_token"' : ''}`;
  return outcomeAnswer(refusal, { 'www-authenticate': challenge });
}

/** A person with a browser, who can be shown a page. */
const isNavigation = (method: string, { accept }: Headers): boolean =>
  (method === 'GET' || method === 'HEAD') && typeof accept === 'string' && accept.includes('text/html');
