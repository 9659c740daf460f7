// Names for the sets of values: values wanted by the same parameters form one set, so that each is indexed once.
import type { ParameterWants } from './wanted-values.ts';

/** Gives each wanted key the name of its set: keys that the same parameters want share one. */
export function setNames(type: string, all: readonly ParameterWants[]): ReadonlyMap<string, string> {
  const users = new Map<string, ParameterWants[]>();
  for (const one of all) {
    for (const key of new Set(one.wants.map((want) => want.key))) {
      users.set(key, [...(users.get(key) ?? []), one]);
    }
  }
  const bySignature = new Map<string, string>();
  const taken = new Set<string>();
  const names = new Map<string, string>();
  for (const [key, by] of users) {
    const signature = by.map((one) => one.source.code).join(' ');
    const name = bySignature.get(signature) ?? nameFor(type, by, key, taken);
    bySignature.set(signature, name);
    taken.add(name);
    names.set(key, name);
  }
  return names;
}

/** Named after the parameter that wants least beside it and does not restrict it. */
function nameFor(
  type: string,
  users: readonly ParameterWants[],
  key: string,
  taken: ReadonlySet<string>,
): string {
  const restricted = (one: ParameterWants): number =>
    one.wants.some((want) => want.key === key && want.only !== undefined) ? 1 : 0;
  const [owner] = users.toSorted((a, b) => restricted(a) - restricted(b) || a.wants.length - b.wants.length);
  const name = `${type}.${owner?.source.code ?? key}`;
  return taken.has(name) ? `${name}.${key.replace(/^.* /, '')}` : name;
}
