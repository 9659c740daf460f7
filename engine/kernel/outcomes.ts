// Refusals are designed: the one error class that the repository and REST throw, and its constructors.
// Anything else that is thrown is a defect.
import type { OperationOutcome } from '@medplum/fhirtypes';
import { failures, type FailureCode } from './failures.ts';

export class Refusal extends Error {
  readonly code: FailureCode;
  readonly outcome: OperationOutcome;

  /** `diagnostics` says what is wrong and what to do; `expression` where (a FHIRPath or a header). No patient data. */
  constructor(code: FailureCode, diagnostics: string, expression?: string) {
    super(diagnostics);
    this.name = 'Refusal';
    this.code = code;
    this.outcome = outcomeOf(code, diagnostics, expression);
  }

  get status(): number {
    return failures[this.code].http;
  }
}

function outcomeOf(code: FailureCode, diagnostics: string, expression?: string): OperationOutcome {
  const issue: OperationOutcome['issue'][number] = {
    severity: 'error',
    code: failures[code].issue,
    details: { coding: [{ system: 'urn:kiungo:failure', code }] },
    diagnostics,
  };
  return {
    resourceType: 'OperationOutcome',
    issue: [expression === undefined ? issue : { ...issue, expression: [expression] }],
  };
}

export const badRequest = (text: string, expression?: string): Refusal =>
  new Refusal('bad-request', text, expression);
export const notFound = (type: string, id: string): Refusal =>
  new Refusal('not-found', `${type}/${id} is not known here`);
export const gone = (type: string, id: string): Refusal =>
  new Refusal('gone', `${type}/${id} has been deleted; its history can still be read`);
export const conflict = (text: string): Refusal => new Refusal('conflict', text);
export const preconditionFailed = (text: string): Refusal => new Refusal('precondition-failed', text);
export const multipleMatches = (criteria: string): Refusal =>
  new Refusal(
    'multiple-matches',
    `more than one resource matches ${criteria}; make the criteria more selective`,
  );
export const unavailable = (text: string): Refusal => new Refusal('unavailable', text);
