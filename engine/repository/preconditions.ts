// Version-aware writes: https://hl7.org/fhir/R4/http.html#concurrency, and If-None-Match as RFC 9110, 13.1.2 has it.
import { badRequest, preconditionFailed } from '../kernel/outcomes.ts';
import type { StoredVersion } from '../storage/resource-store.ts';

/** What must be true of the current version before anything is written, as the headers of these names say it. */
export interface Preconditions {
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
}

/** Throws Refusal `precondition-failed` unless what is there is what was expected; `bad-request` for what is no ETag. */
export function checkPreconditions(current: StoredVersion | undefined, expected: Preconditions): void {
  if (expected.ifMatch !== undefined) checkIfMatch(current, expected.ifMatch);
  if (expected.ifNoneMatch !== undefined) checkIfNoneMatch(current, expected.ifNoneMatch);
}

function checkIfMatch(current: StoredVersion | undefined, ifMatch: string): void {
  if (current?.body === undefined) {
    versionsIn(ifMatch, 'If-Match');
    throw preconditionFailed('If-Match names a version of a resource that is not there');
  }
  const wanted = versionsIn(ifMatch, 'If-Match');
  if (wanted === '*' || wanted.includes(current.version)) return;
  throw preconditionFailed(
    `the current version is ${current.version}, not the one that If-Match names; read it again`,
  );
}

function checkIfNoneMatch(current: StoredVersion | undefined, ifNoneMatch: string): void {
  const known = versionsIn(ifNoneMatch, 'If-None-Match');
  if (current?.body === undefined) return;
  if (known === '*') {
    throw preconditionFailed('If-None-Match: * was asked, and the resource is there already');
  }
  if (known.includes(current.version)) {
    throw preconditionFailed(`the current version is ${current.version}, which If-None-Match names`);
  }
}

/** The versions in `W/"3"`, `"3"`, `3` or a list of these. */
function versionsIn(etags: string, header: string): '*' | readonly number[] {
  if (etags.trim() === '*') return '*';
  return etags.split(',', 100).map((etag) => {
    const found = /^(?:W\/)?"(\d{1,15})"$|^(\d{1,15})$/.exec(etag.trim());
    const version = found?.[1] ?? found?.[2];
    if (version === undefined) throw badRequest(`${header} names versions, as in W/"3"`, header);
    return Number(version);
  });
}
