// Token parameters: `code`, `system|code`, `|code`, `system|`. Codes are compared as they are written.
// https://hl7.org/fhir/R4/search.html#token
import { badRequest } from '../../kernel/outcomes.ts';
import type { CodesBySystem, Direction } from '../answers.ts';
import { anyOf, leaf } from '../condition.ts';
import type { CompiledParameter, CompiledSet } from '../definitions/compiled.ts';
import { entryNames } from '../extraction/entry-names.ts';
import { foldString } from '../fold-string.ts';
import type { Condition } from '../plan.ts';
import { splitEscaped, unescaped } from './escapes.ts';
import { answersFor, inAnySet, unreadable, type ValueReader } from './reader.ts';

interface Token {
  /** undefined: any; '': none. */
  readonly system: string | undefined;
  readonly code: string | undefined;
}

export const readToken: ValueReader = (parameter, value) => {
  const token = tokenIn(parameter, value);
  return inAnySet(parameter, (set) => inSet(set, token));
};

function tokenIn(parameter: CompiledParameter, value: string): Token {
  const token = tokenOf(splitEscaped(value, '|').map(unescaped));
  if (token === undefined) throw unreadable(parameter, 'code, system|code, |code or system|');
  return withoutImplied(parameter, token);
}

function tokenOf([first = '', second, ...more]: readonly string[]): Token | undefined {
  if (more.length > 0) return undefined;
  if (second === undefined) return { system: undefined, code: first };
  if (second !== '') return { system: first, code: second };
  return first === '' ? undefined : { system: first, code: undefined };
}

/** `status` has no system in the JSON: that of its binding is implied. */
const withoutImplied = ({ systems }: CompiledParameter, { system, code }: Token): Token => ({
  system: systems !== undefined && system !== undefined && systems.includes(system) ? '' : system,
  code,
});

/** Contact points have their kind for a system: `email=a@b` looks for that of kind email, whatever system is asked. */
function inSet({ name, only }: CompiledSet, { system, code }: Token): Condition {
  if (only === undefined) return leaf({ kind: 'token', parameter: name, system, code });
  const other = system !== undefined && system !== '' && system !== only;
  return other ? { op: 'none' } : leaf({ kind: 'token', parameter: name, system: only, code });
}

/** `:text`: what is written for people beside the code begins so. */
export const readTokenText: ValueReader = (parameter, text) => {
  const value = foldString(unescaped(text));
  return inAnySet(parameter, ({ name }) =>
    leaf({ kind: 'string', parameter: entryNames(name).text, match: 'prefix', value }),
  );
};

/** `identifier:of-type=system|code|value`, all three. */
export const readOfType: ValueReader = (parameter, text) => {
  const [system = '', code = '', value = '', ...more] = splitEscaped(text, '|').map(unescaped);
  if (code === '' || value === '' || more.length > 0) {
    throw unreadable(
      parameter,
      'system|code|value, where system and code are those of the identifier’s type',
    );
  }
  return inAnySet(parameter, ({ name }) =>
    leaf({ kind: 'token', parameter: entryNames(name).ofType, system, code: `${code}|${value}` }),
  );
};

/** `code:in=http://…/ValueSet/…`, and `ValueSet/1` for one that is stored here. */
export const readIn: ValueReader = (parameter, text, options) => {
  const valueSet = unescaped(text);
  const codes = answersFor(parameter, options).codes({ kind: 'members', valueSet });
  return codes === undefined ? { op: 'none' } : amongCodes(parameter, codes);
};

/** `code:below=system|code`: the code and all that it subsumes; `:above`: all that subsume it. */
export const readSubsumed =
  (direction: Direction): ValueReader =>
  (parameter, value, options) => {
    const [first = '', second, ...more] = splitEscaped(value, '|').map(unescaped);
    const [implied] = parameter.systems ?? [];
    const system = second === undefined ? implied : first;
    const code = second ?? first;
    if (more.length > 0 || system === undefined || system === '' || code === '') {
      throw unreadable(parameter, `system|code after :${direction}`);
    }
    const question = { kind: 'subsumed', direction, system, code } as const;
    const codes = answersFor(parameter, options).codes(question);
    return codes === undefined ? { op: 'none' } : amongCodes(parameter, codes);
  };

/** More codes than a store is asked for at once. */
const maximumCodes = 10_000;

function amongCodes(parameter: CompiledParameter, bySystem: CodesBySystem): Condition {
  const groups = [...bySystem].map(([system, codes]) => ({
    system: parameter.systems?.includes(system) === true ? '' : system,
    codes,
  }));
  const listed = groups.flatMap(({ system, codes }) =>
    codes === 'all' || codes.size === 0 ? [] : [{ system, codes: [...codes] }],
  );
  if (listed.reduce((sum, { codes }) => sum + codes.length, 0) > maximumCodes) {
    throw badRequest(`${parameter.code} would be looked for among more than ${maximumCodes} codes`);
  }
  return inAnySet(parameter, ({ name, only }) => {
    if (only !== undefined) return { op: 'none' };
    const whole = groups.filter(({ codes }) => codes === 'all');
    return anyOf([
      ...whole.map(({ system }) => leaf({ kind: 'token', parameter: name, system, code: undefined })),
      ...(listed.length === 0 ? [] : [leaf({ kind: 'token-in', parameter: name, codes: listed })]),
    ]);
  });
}
