// https://hl7.org/fhir/R4/http.html#history of a resource, of types, of everything; of what is in Lists, where that is asked.
import { notFound } from '../kernel/outcomes.ts';
import type { HistoryPage, HistoryRequest, HistoryScope, ListedVersion } from '../storage/resource-store.ts';
import { isId } from './admit.ts';
import { listedResources } from './listed-resources.ts';
import type { AskedHistory } from './repository.ts';
import type { Reading } from './work.ts';

/** Throws Refusal `not-found` for the history of a resource that never was. */
export async function history(reading: Reading, { list, ...asked }: AskedHistory): Promise<HistoryPage> {
  const { resources } = reading;
  const { scope } = asked;
  if (scope.kind === 'instance') {
    if (!isId(scope.id)) throw notFound(scope.type, '(not an id)');
    if (!(await resources.read(scope.type, scope.id))) throw notFound(scope.type, scope.id);
  }
  return resources.history(list === undefined ? asked : await narrowed(reading, asked, list));
}

async function narrowed(reading: Reading, asked: HistoryRequest, list: string): Promise<HistoryRequest> {
  const all = await listedResources(reading, list);
  return { ...asked, scope: { kind: 'listed', listed: all.filter((one) => isWithin(one, asked.scope)) } };
}

function isWithin(one: ListedVersion, scope: HistoryScope): boolean {
  switch (scope.kind) {
    case 'instance':
      return one.type === scope.type && one.id === scope.id;
    case 'types':
      return scope.types.includes(one.type);
    case 'listed':
      return scope.listed.some(({ type, id }) => type === one.type && id === one.id);
  }
}
