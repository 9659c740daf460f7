// Version-aware writes: https://hl7.org/fhir/R4/http.html#concurrency
import { badRequest, preconditionFailed } from '../kernel/outcomes.ts';
import type { StoredVersion } from '../storage/resource-store.ts';

/** The version in `W/"3"`, `"3"` or `3`; throws Refusal `bad-request` for anything else. */
function versionOfEtag(etag: string): string {
  const found = /^(?:W\/)?"(\d{1,15})"$|^(\d{1,15})$/.exec(etag.trim());
  const version = found?.[1] ?? found?.[2];
  if (version === undefined) throw badRequest('If-Match names one version, as in W/"3"', 'If-Match');
  return version;
}

/** Throws Refusal `precondition-failed` unless the current version is the one that was meant. */
export function checkIfMatch(current: StoredVersion | undefined, ifMatch: string | undefined): void {
  if (ifMatch === undefined) return;
  const wanted = versionOfEtag(ifMatch);
  if (current?.body !== undefined && String(current.version) === String(Number(wanted))) return;
  throw preconditionFailed(
    current?.body === undefined
      ? 'If-Match names a version of a resource that is not there'
      : `the current version is ${current.version}, not the one that If-Match names; read it again`,
  );
}
