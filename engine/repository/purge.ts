// A patient's whole record taken away for good. https://hl7.org/fhir/R5/patient-operation-purge.html, which R4 servers offer too.
import { memberTypes, membershipOf } from '../fhir/compartments.ts';
import { parseResource } from '../fhir/exact-json.ts';
import { Refusal } from '../kernel/outcomes.ts';
import type { ResourceName, StoredVersion } from '../storage/resource-store.ts';
import { createBreath } from './breath.ts';
import { inCompartment } from './compartment.ts';
import { remove } from './delete.ts';
import { read } from './read.ts';
import type { Work } from './work.ts';

/** A larger record is refused whole: other writes wait for it. */
const maximumMembers = 20_000;
const storePage = 1000;

/** What was done to a record is not part of it. */
const outlives: ReadonlySet<string> = new Set(['AuditEvent']);

/**
 * How many versions went: of the patient and of all that is in the compartment of this patient alone. Throws Refusal `not-found`, `gone`,
 * `too-large`, or `still-referred-to` where something that stays refers to what would go: what belongs to another patient too stays.
 */
export async function purge(work: Work, id: string): Promise<number> {
  await read(work, 'Patient', id);
  const names = await ownMembers(work, id);
  const breathe = createBreath();
  let forgotten = 0;
  for (const { type, id: member } of names) {
    await breathe();
    await remove(work, type, member);
    forgotten += await work.resources.forget({ type, id: member }, 'deleted-resources');
  }
  return forgotten;
}

async function ownMembers(work: Work, id: string): Promise<readonly ResourceName[]> {
  const names: ResourceName[] = [];
  for (const type of memberTypes('Patient').filter((one) => !outlives.has(one))) {
    for await (const member of membersOf(work, id, type)) {
      if (isOfOthers(work, member, id)) continue;
      names.push({ type, id: member.id });
      if (names.length > maximumMembers) {
        throw new Refusal(
          'too-large',
          `the record has more than ${maximumMembers} resources; delete some first`,
        );
      }
    }
  }
  return names;
}

async function* membersOf(work: Work, id: string, type: string): AsyncGenerator<StoredVersion> {
  const where = inCompartment(work.parts, { type: 'Patient', id }, type);
  const breathe = createBreath();
  let after: string | undefined;
  do {
    const page = await work.resources.search({
      type,
      where,
      order: [],
      count: storePage,
      after,
      total: 'none',
    });
    for (const version of page.matches) {
      await breathe();
      yield version;
    }
    after = page.next;
  } while (after !== undefined);
}

function isOfOthers({ parts }: Work, { type, body }: StoredVersion, id: string): boolean {
  if (type === 'Patient' || body === undefined) return false;
  const resource = parseResource(body);
  const patients = (membershipOf('Patient', type) ?? []).flatMap((parameter) =>
    parts.index.referencesOf(resource, parameter, 'Patient'),
  );
  return patients.some((patient) => patient !== `Patient/${id}`);
}
