// What the members of a compartment refer to, and what that refers to in turn: practitioners, organizations, medications, places.
// Never another patient's record: from outside of the compartment no reference into a patient's data is followed.
import { membershipOf, type CompartmentType } from '../fhir/compartments.ts';
import { parseResource } from '../fhir/exact-json.ts';
import { collectReferences, referenceTarget } from '../fhir/references.ts';
import { badRequest } from '../kernel/outcomes.ts';
import type { StoredVersion } from '../storage/resource-store.ts';
import { createBreath } from './breath.ts';
import type { Reading } from './work.ts';

/** More than this is refused, never cut off unsaid. */
const maximumTargets = 20_000;

export interface Following {
  /** Notes what a member refers to. */
  from(member: StoredVersion): void;
  /** What was noted, and what that leads to, each once; what is not here is left out. */
  targets(): AsyncGenerator<StoredVersion>;
}

export function followed(reading: Reading, compartment: CompartmentType): Following {
  const base = reading.parts.base();
  const names = new Set<string>();
  const note = (version: StoredVersion, leadsTo: (type: string) => boolean): void => {
    for (const name of namesIn(version, base)) {
      if (leadsTo(name.slice(0, name.indexOf('/')))) names.add(name);
    }
    if (names.size > maximumTargets) throw badRequest('too much is referred to; ask with _type or dates');
  };
  const isOutside = (type: string): boolean => membershipOf(compartment, type) === undefined;
  const isShared = (type: string): boolean => isOutside(type) && membershipOf('Patient', type) === undefined;
  return {
    from: (member) => note(member, isOutside),
    targets: async function* () {
      const breathe = createBreath();
      // A set that grows while it is walked is walked to its end.
      for (const name of names) {
        await breathe();
        const [type = '', id = ''] = name.split('/');
        const version = await reading.resources.read(type, id);
        if (version?.body === undefined) continue;
        yield version;
        note(version, isShared);
      }
    },
  };
}

const local = /^[A-Z][A-Za-z]{1,60}\/[A-Za-z0-9\-.]{1,64}$/;

function namesIn({ body }: StoredVersion, base: string): readonly string[] {
  if (body === undefined) return [];
  return collectReferences(parseResource(body))
    .map((text) => referenceTarget(text, base))
    .filter((name): name is string => name !== undefined && local.test(name));
}
