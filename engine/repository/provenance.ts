// What a client says about its own write: a Provenance that is written together with it.
// https://hl7.org/fhir/R4/provenance.html#header
import type { FhirResource } from '../fhir/resource.ts';
import { badRequest } from '../kernel/outcomes.ts';
import type { Change, RepositoryUnit } from './repository.ts';

/** The record of one transaction. */
export interface TransactionRecord {
  /** Heard of every change of the transaction. */
  readonly note: (change: Change) => Promise<void>;
  /** Writes the Provenance, whose targets are the versions that were made besides those that it names; nothing where nothing changed. */
  write(unit: RepositoryUnit): Promise<void>;
}

export function recordOf(provenance: FhirResource): TransactionRecord {
  const targets: { readonly reference: string }[] = [];
  return {
    note: async ({ version: { type, id, version } }) => {
      targets.push({ reference: `${type}/${id}/_history/${version}` });
    },
    write: async (unit) => {
      if (targets.length === 0) return;
      await unit.create({ ...provenance, target: [...namedIn(provenance), ...targets] });
    },
  };
}

/** Throws Refusal `bad-request`. */
function namedIn({ target = [] }: FhirResource): readonly unknown[] {
  if (!Array.isArray(target)) throw badRequest('target is a list of references', 'Provenance.target');
  return target as readonly unknown[];
}
