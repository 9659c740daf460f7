// What a search has to say beside what it found: https://hl7.org/fhir/R4/search.html#4.8
import type { OperationOutcome, OperationOutcomeIssue } from '@medplum/fhirtypes';
import type { SearchResult } from './repository.ts';

/** undefined: nothing. */
export function outcomeOf({
  ignored,
  unfinished,
}: Pick<SearchResult, 'ignored' | 'unfinished'>): OperationOutcome | undefined {
  const issue: OperationOutcomeIssue[] = [];
  if (ignored.length > 0) {
    const text = `these parameters are not known and were left out: ${ignored.join(', ')}`;
    issue.push({ severity: 'warning', code: 'not-supported', diagnostics: text });
  }
  if (unfinished.length > 0) {
    const text = `not everything is indexed by ${unfinished.join(', ')} yet, so some that match may not be among these; GET $reindex tells how far it has come`;
    issue.push({ severity: 'warning', code: 'incomplete', diagnostics: text });
  }
  return issue.length === 0 ? undefined : { resourceType: 'OperationOutcome', issue };
}
