// The Prefer header: https://hl7.org/fhir/R4/http.html#ops, "return", and https://hl7.org/fhir/R4/search.html#errors, "handling".
import { headerOf, type Headers } from '../auth/headers.ts';

const returns = ['minimal', 'representation', 'OperationOutcome'] as const;

export interface Preference {
  readonly return: (typeof returns)[number];
  readonly lenient: boolean;
}

const usual: Preference = { return: 'representation', lenient: false };

/** Preferences that are not known are not heeded (RFC 7240). */
export function preferenceOf(headers: Headers): Preference {
  const written = headerOf(headers, 'prefer');
  if (written === undefined) return usual;
  const wishes = written.split(/[,;]/).map((wish) => wish.trim().replaceAll('"', ''));
  return {
    return: returns.find((kind) => wishes.includes(`return=${kind}`)) ?? usual.return,
    lenient: wishes.includes('handling=lenient'),
  };
}

/** Whether parameters that are not known are to be left out. */
export const lenientIn = (headers: Headers): boolean => preferenceOf(headers).lenient;
