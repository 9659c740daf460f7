// The Prefer header: https://hl7.org/fhir/R4/http.html#ops, "return", and https://hl7.org/fhir/R4/search.html#errors, "handling".
import { headerOf, type Headers } from '../auth/headers.ts';

const returns = ['minimal', 'representation', 'OperationOutcome'] as const;

export type Returned = (typeof returns)[number];

export interface Preference {
  readonly return: Returned;
  /** Whether the client said so itself. */
  readonly stated: boolean;
  readonly lenient: boolean;
}

const usual: Preference = { return: 'representation', stated: false, lenient: false };

/** Preferences that are not known are not heeded (RFC 7240). */
export function preferenceOf(headers: Headers): Preference {
  const written = headerOf(headers, 'prefer');
  if (written === undefined) return usual;
  const wishes = written.split(/[,;]/).map((wish) => wish.trim().replaceAll('"', ''));
  const wished = returns.find((kind) => wishes.includes(`return=${kind}`));
  return {
    return: wished ?? usual.return,
    stated: wished !== undefined,
    lenient: wishes.includes('handling=lenient'),
  };
}

/** Whether parameters that are not known are to be left out. */
export const lenientIn = (headers: Headers): boolean => preferenceOf(headers).lenient;
