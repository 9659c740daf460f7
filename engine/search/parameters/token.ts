// Token parameters: `code`, `system|code`, `|code`, `system|`. Codes are compared as they are written.
// https://hl7.org/fhir/R4/search.html#token
import { leaf } from '../condition.ts';
import type { CompiledSet } from '../definitions/compiled.ts';
import type { Condition } from '../plan.ts';
import { splitEscaped, unescaped } from './escapes.ts';
import { inAnySet, unreadable, type ValueReader } from './reader.ts';

interface Token {
  /** undefined: any; '': none. */
  readonly system: string | undefined;
  readonly code: string | undefined;
}

export const readToken: ValueReader = (parameter, value) => {
  const parts = splitEscaped(value, '|').map(unescaped);
  const token = tokenOf(parts);
  if (token === undefined) throw unreadable(parameter, 'code, system|code, |code or system|');
  return inAnySet(parameter, (set) => inSet(set, token));
};

function tokenOf([first = '', second, ...more]: readonly string[]): Token | undefined {
  if (more.length > 0) return undefined;
  if (second === undefined) return { system: undefined, code: first };
  if (second !== '') return { system: first, code: second };
  return first === '' ? undefined : { system: first, code: undefined };
}

/** Contact points have their kind for a system: `email=a@b` looks for that of kind email, whatever system is asked. */
function inSet({ name, only }: CompiledSet, { system, code }: Token): Condition {
  if (only === undefined) return leaf({ kind: 'token', parameter: name, system, code });
  const other = system !== undefined && system !== '' && system !== only;
  return other ? { op: 'none' } : leaf({ kind: 'token', parameter: name, system: only, code });
}
