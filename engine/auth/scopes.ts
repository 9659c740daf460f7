// SMART App Launch v2 scopes: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
// `system/Observation.rs`: who acts, on which type, with which letters of create, read, update, delete, search.

export type Letter = 'c' | 'r' | 'u' | 'd' | 's';

interface Permission {
  readonly level: string;
  /** `*`: any. */
  readonly type: string;
  readonly letters: string;
}

/** Everything that is not about resources: /admin, /metrics, /flows. */
export const adminScope = 'admin';

const syntax = /^(system|user)\/(\*|[A-Z][A-Za-z]{1,60})\.(?=[cruds])(c?r?u?d?s?)$/;

function permissionOf(scope: string): Permission | undefined {
  const [, level, type, letters] = syntax.exec(scope) ?? [];
  return level === undefined || type === undefined || letters === undefined
    ? undefined
    : { level, type, letters };
}

/** Scopes are read once for each list of them. */
const readBefore = new WeakMap<readonly string[], readonly Permission[]>();

function permissionsOf(scopes: readonly string[]): readonly Permission[] {
  const known = readBefore.get(scopes);
  if (known) return known;
  const permissions = scopes.map(permissionOf).filter((permission) => permission !== undefined);
  readBefore.set(scopes, permissions);
  return permissions;
}

/** Whether somebody with these scopes may do this to resources of this type (`*`: to those of every type). */
export function allows(scopes: readonly string[], type: string, letter: Letter): boolean {
  return permissionsOf(scopes).some(
    (permission) =>
      (permission.type === '*' || permission.type === type) && permission.letters.includes(letter),
  );
}

/**
 * What of the asked scopes (space-separated) somebody with the granted ones gets; all that is granted where none are asked.
 * Empty when nothing of it is granted or a scope is not understood.
 */
export function narrow(asked: string | undefined, granted: readonly string[]): readonly string[] {
  const wanted = (asked ?? '').split(' ').filter((scope) => scope !== '');
  if (wanted.length === 0) return granted;
  const given = wanted.map((scope) => narrowOne(scope, granted));
  return given.some((scopes) => scopes.length === 0) ? [] : [...new Set(given.flat())];
}

function narrowOne(scope: string, granted: readonly string[]): readonly string[] {
  if (scope === adminScope) return granted.includes(scope) ? [scope] : [];
  const asked = permissionOf(scope);
  if (!asked) return [];
  return permissionsOf(granted).flatMap((permission) => common(asked, permission));
}

function common(asked: Permission, granted: Permission): readonly string[] {
  const letters = asked.letters.replaceAll(new RegExp(`[^${granted.letters}]`, 'g'), '');
  const overlaps = asked.type === '*' || granted.type === '*' || asked.type === granted.type;
  if (letters === '' || !overlaps || asked.level !== granted.level) return [];
  return [`${asked.level}/${asked.type === '*' ? granted.type : asked.type}.${letters}`];
}
