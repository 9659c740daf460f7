// One table from failure to answer: what HTTP, HL7 and the retry policy make of each kind of failure.
// The code is given where the failure happens; docs/errors.md explains each (a test compares them).

/** transient: try again; ambiguous: it may have happened, a person looks; permanent: trying again cannot help. */
export type RetryClass = 'transient' | 'ambiguous' | 'permanent';

interface FailureAnswer {
  /** OperationOutcome.issue.code, http://hl7.org/fhir/R4/valueset-issue-type.html */
  readonly issue: string;
  readonly http: number;
  /** MSA-1 in original mode, HL7 table 0008. */
  readonly acknowledgement: 'AE' | 'AR';
  readonly retry: RetryClass;
}

export const failures = {
  'bad-request': { issue: 'invalid', http: 400, acknowledgement: 'AR', retry: 'permanent' },
  'unknown-parameter': { issue: 'not-supported', http: 400, acknowledgement: 'AR', retry: 'permanent' },
  unauthorized: { issue: 'login', http: 401, acknowledgement: 'AR', retry: 'permanent' },
  forbidden: { issue: 'forbidden', http: 403, acknowledgement: 'AR', retry: 'permanent' },
  'not-found': { issue: 'not-found', http: 404, acknowledgement: 'AE', retry: 'permanent' },
  'method-not-allowed': { issue: 'not-supported', http: 405, acknowledgement: 'AR', retry: 'permanent' },
  'not-acceptable': { issue: 'not-supported', http: 406, acknowledgement: 'AR', retry: 'permanent' },
  conflict: { issue: 'conflict', http: 409, acknowledgement: 'AE', retry: 'transient' },
  'still-referred-to': { issue: 'conflict', http: 409, acknowledgement: 'AE', retry: 'permanent' },
  gone: { issue: 'deleted', http: 410, acknowledgement: 'AE', retry: 'permanent' },
  'precondition-failed': { issue: 'conflict', http: 412, acknowledgement: 'AE', retry: 'permanent' },
  'multiple-matches': { issue: 'multiple-matches', http: 412, acknowledgement: 'AE', retry: 'permanent' },
  'too-large': { issue: 'too-long', http: 413, acknowledgement: 'AR', retry: 'permanent' },
  'unsupported-media-type': { issue: 'not-supported', http: 415, acknowledgement: 'AR', retry: 'permanent' },
  unprocessable: { issue: 'processing', http: 422, acknowledgement: 'AE', retry: 'permanent' },
  'dangling-reference': { issue: 'not-found', http: 422, acknowledgement: 'AE', retry: 'permanent' },
  'too-costly': { issue: 'too-costly', http: 422, acknowledgement: 'AE', retry: 'permanent' },
  'too-many-requests': { issue: 'throttled', http: 429, acknowledgement: 'AE', retry: 'transient' },
  defect: { issue: 'exception', http: 500, acknowledgement: 'AE', retry: 'ambiguous' },
  unavailable: { issue: 'transient', http: 503, acknowledgement: 'AE', retry: 'transient' },
} as const satisfies Record<string, FailureAnswer>;

export type FailureCode = keyof typeof failures;
