// JSON Merge Patch: https://www.rfc-editor.org/rfc/rfc7396
import { badRequest } from '../../kernel/outcomes.ts';
import { copyOf, isFields, type MutableFields } from './json-values.ts';
import type { Change } from './work.ts';

/** Throws Refusal `bad-request` for what is no object: it would put something else in place of the resource. */
export function readMergePatch(value: unknown): Change {
  if (!isFields(value)) throw badRequest('a merge patch is a JSON object');
  return (document, work) => merged(document, copyOf(value, work.spend));
}

/** Neither is changed. */
function merged(target: unknown, patch: MutableFields): MutableFields {
  const result: MutableFields = isFields(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(result, key);
    else result[key] = isFields(value) ? merged(result[key], value) : value;
  }
  return result;
}
