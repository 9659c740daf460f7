// What flows read: single resources, and searches with what they include.
import { parseResource } from '../fhir/exact-json.ts';
import { parseReference } from '../fhir/references.ts';
import type { FhirResource } from '../fhir/resource.ts';
import type { Actor } from '../kernel/actor.ts';
import { badRequest, gone } from '../kernel/outcomes.ts';
import type { Repository } from '../repository/repository.ts';
import type { StoredVersion } from '../storage/resource-store.ts';
import type { FlowPort } from './flow-port.ts';

const reader: Actor = { kind: 'flow', id: 'flows', scopes: ['system/*.rs'] };

export function flowReads(repository: Pick<Repository, 'as'>): Pick<FlowPort, 'read' | 'search'> {
  return {
    read: async (reference) => {
      const parsed = parseReference(reference);
      if (parsed.kind !== 'relative') throw badRequest('a reference is Type/id');
      const { type, id } = parsed;
      const { body } = await repository.as(reader).read(type, id);
      if (body === undefined) throw gone(type, id);
      return parseResource(body);
    },
    search: async (criteria) => {
      const mark = criteria.indexOf('?');
      const [type, query] =
        mark === -1 ? [criteria, ''] : [criteria.slice(0, mark), criteria.slice(mark + 1)];
      const { matches, included } = await repository.as(reader).search(type, query);
      return [...matches, ...included].flatMap(resourceOf);
    },
  };
}

const resourceOf = ({ body }: StoredVersion): readonly FhirResource[] =>
  body === undefined ? [] : [parseResource(body)];
