// The body of an HTML form or of an OAuth2 request: application/x-www-form-urlencoded.
import { fieldsOf } from '../kernel/fields.ts';
import { badRequest } from '../kernel/outcomes.ts';
import type { HttpRequest } from '../kernel/http-route.ts';

/** No form here has as many. */
const mostFields = 20;

/** Throws Refusal `bad-request` for another media type, too many fields, or one that is there twice (RFC 6749, 3.2). */
export function formOf(request: HttpRequest): ReadonlyMap<string, string> {
  const [mediaType = ''] = (request.headers['content-type'] ?? '').split(';');
  if (mediaType.trim().toLowerCase() !== 'application/x-www-form-urlencoded') {
    throw badRequest('the body is to be application/x-www-form-urlencoded', 'Content-Type');
  }
  const fields = new Map<string, string>();
  for (const [name, value] of fieldsOf(Buffer.from(request.body).toString('utf8'), mostFields)) {
    if (fields.has(name)) throw badRequest('a field is there twice');
    fields.set(name, value);
  }
  return fields;
}
