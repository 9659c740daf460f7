// Pages from elsewhere that ask out of a browser: https://fetch.spec.whatwg.org/#http-cors-protocol They bring an access token; cookies
// are never taken from them.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { fhirPath } from './interaction.ts';

/** What such a page may ask: FHIR, and the token for it. */
const paths: readonly string[] = [fhirPath, '/oauth2/token'];

const methods = 'GET, HEAD, POST, PUT, PATCH, DELETE';

const requestHeaders = [
  'accept', 'authorization', 'content-type', 'content-encoding', 'if-match', 'if-modified-since', 'if-none-exist', 'if-none-match', 'prefer',
  'x-cascade', 'x-provenance', 'x-request-id', 'x-requested-with', 'x-security-context', 'traceparent',
].join(', '); // prettier-ignore

/** Of an answer, what the page may read besides what it always may. */
const answerHeaders =
  'content-location, etag, last-modified, location, preference-applied, retry-after, x-progress, x-request-id';

/** How long the browser need not ask again, seconds. */
const preflightAge = '7200';

/** Express middleware that lets pages of these origins ask; the others' browsers keep the answers from them. */
export function letPagesAsk(
  origins: readonly string[],
): (request: IncomingMessage, response: ServerResponse, next: () => void) => void {
  const allowed = new Set(origins);
  return (request, response, next) => {
    const { origin } = request.headers;
    const isLetIn = origin !== undefined && (allowed.has('*') || allowed.has(origin)) && isOpen(request);
    if (!isLetIn) {
      next();
      return;
    }
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('vary', 'origin');
    if (isPreflight(request)) answerPreflight(response);
    else {
      response.setHeader('access-control-expose-headers', answerHeaders);
      next();
    }
  };
}

const isOpen = ({ url = '' }: IncomingMessage): boolean =>
  paths.some((path) => url.startsWith(path) && /^(?:[/?]|$)/.test(url.slice(path.length, path.length + 1)));

const isPreflight = ({ method, headers }: IncomingMessage): boolean =>
  method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;

function answerPreflight(response: ServerResponse): void {
  response.writeHead(204, {
    'access-control-allow-methods': methods,
    'access-control-allow-headers': requestHeaders,
    'access-control-max-age': preflightAge,
  });
  response.end();
}
