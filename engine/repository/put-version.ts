// The one place where a version is written: stamped, indexed, stored, announced.
import { parseResource, writeJson } from '../fhir/exact-json.ts';
import { collectReferences } from '../fhir/references.ts';
import type { FhirResource } from '../fhir/resource.ts';
import type { IndexEntry } from '../search/index-entry.ts';
import type { StoredVersion } from '../storage/resource-store.ts';
import { partedOf, storedContent, type LargeContent } from './large-content.ts';
import type { PreparedVersion } from './prepare-version.ts';
import type { Written } from './repository.ts';
import { stamp } from './stamp.ts';
import type { Work } from './work.ts';

export interface NextVersion {
  readonly type: string;
  readonly id: string;
  readonly method: StoredVersion['method'];
  /** undefined: a deletion. */
  readonly resource: FhirResource | undefined;
  /** The resource made ready before. */
  readonly prepared?: PreparedVersion | undefined;
  /** What was parted from the resource already. */
  readonly content?: LargeContent | undefined;
}

/** Writes the version after `previous` (undefined: there never was one). */
export async function putVersion(
  work: Work,
  next: NextVersion,
  previous: StoredVersion | undefined,
): Promise<Written> {
  const version = (previous?.version ?? 0) + 1;
  // A clock that was set back must not make a history run backwards.
  const at = Math.max(work.at, previous?.lastUpdated ?? 0);
  const { resource: kept, content } = partsOf(next);
  const resource = kept && stamp(kept, next.id, version, at);
  // What was made ready has all in one.
  const prepared = content === undefined ? next.prepared : undefined;
  const { index } = work.parts;
  const entries = resource ? (prepared?.entriesBy(index) ?? index.entries(resource)) : [];
  const stored: StoredVersion = {
    type: next.type,
    id: next.id,
    version,
    lastUpdated: at,
    method: next.method,
    body: resource && (prepared?.textOf(version, at) ?? writeJson(resource)),
    ...(content && { content: await storedContent(work.contents, content) }),
  };
  await work.resources.write(stored, entries, entriesOf(work, previous));
  const references = (): readonly string[] =>
    prepared?.references ?? (resource ? collectReferences(resource) : []);
  work.integrity.noteVersion(next, resource, references);
  const outcome = outcomeOf(stored, previous);
  await work.announce({ version: stored, outcome, resource, entries, actor: work.actor });
  return { stored, outcome };
}

function partsOf({ resource, content }: NextVersion): Pick<NextVersion, 'resource' | 'content'> {
  return resource === undefined || content !== undefined ? { resource, content } : partedOf(resource);
}

function entriesOf(work: Work, version: StoredVersion | undefined): readonly IndexEntry[] {
  return version?.body === undefined ? [] : work.parts.index.entries(parseResource(version.body));
}

function outcomeOf(
  stored: StoredVersion,
  previous: StoredVersion | undefined,
): 'created' | 'updated' | 'deleted' {
  if (stored.body === undefined) return 'deleted';
  return previous?.body === undefined ? 'created' : 'updated';
}
