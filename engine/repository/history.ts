// https://hl7.org/fhir/R4/http.html#history of a resource, of types, of everything.
import { notFound } from '../kernel/outcomes.ts';
import type { HistoryPage, HistoryRequest } from '../storage/resource-store.ts';
import { isId } from './admit.ts';
import type { Reading } from './work.ts';

/** Throws Refusal `not-found` for the history of a resource that never was. */
export async function history({ resources }: Reading, asked: HistoryRequest): Promise<HistoryPage> {
  const { scope } = asked;
  if (scope.kind === 'instance') {
    if (!isId(scope.id)) throw notFound(scope.type, '(not an id)');
    if (!(await resources.read(scope.type, scope.id))) throw notFound(scope.type, scope.id);
  }
  return resources.history(asked);
}
