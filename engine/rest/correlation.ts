// One id that goes with a request through the logs of everybody: https://hl7.org/fhir/R4/http.html#custom
import type { Headers } from '../auth/headers.ts';
import type { Ids } from '../kernel/ids.ts';

/** The client's X-Request-Id where it is harmless, otherwise a new one. */
export function correlationOf(headers: Headers, ids: Ids): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : ids.next();
}
