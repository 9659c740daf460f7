// The fields of a form or a query, `a=1&b=2`: https://url.spec.whatwg.org/#application/x-www-form-urlencoded
import { badRequest } from './outcomes.ts';

/**
 * Throws Refusal `bad-request` for more than `most` fields. They are counted before they are read, since reading takes a time that grows
 * with the square of their number: a megabyte of `a&` would take seconds.
 */
export function fieldsOf(text: string, most: number): URLSearchParams {
  let fields = 1;
  for (let at = text.indexOf('&'); at >= 0; at = text.indexOf('&', at + 1)) {
    fields += 1;
    if (fields > most) throw badRequest(`there are more than ${most} parameters`);
  }
  return new URLSearchParams(text);
}
