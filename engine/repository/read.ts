// https://hl7.org/fhir/R4/http.html#read and vread.
import { gone, notFound } from '../kernel/outcomes.ts';
import type { StoredVersion } from '../storage/resource-store.ts';
import { admitType, isId } from './admit.ts';
import type { Reading } from './work.ts';

/** A version that has a body. */
export async function read(reading: Reading, type: string, id: string): Promise<StoredVersion> {
  return present(type, id, isId(id) ? await reading.resources.read(type, id) : undefined);
}

export async function readMany(
  { parts, resources }: Reading,
  type: string,
  ids: readonly string[],
): Promise<readonly StoredVersion[]> {
  admitType(parts.index, type);
  return resources.readMany(type, ids.filter(isId));
}

export async function readVersion(
  reading: Reading,
  type: string,
  id: string,
  version: string,
): Promise<StoredVersion> {
  const known = isId(id) && /^[1-9]\d{0,14}$/.test(version);
  return present(
    type,
    id,
    known ? await reading.resources.readVersion(type, id, Number(version)) : undefined,
  );
}

function present(type: string, id: string, found: StoredVersion | undefined): StoredVersion {
  // What fails as an id is not repeated: it may be anything.
  if (!found) throw notFound(type, isId(id) ? id : '(not an id)');
  if (found.body === undefined) throw gone(type, id);
  return found;
}
