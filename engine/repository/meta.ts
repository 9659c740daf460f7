// Tags, security labels and profiles as sets: https://hl7.org/fhir/R4/resource-operations.html#meta
import type { Coding, Meta } from '@medplum/fhirtypes';
import type { FhirResource } from '../fhir/resource.ts';
import type { IndexedCode } from '../storage/resource-store.ts';
import { admitMeta } from './admit.ts';
import type { Reading } from './work.ts';

/** Different tags, labels and profiles that are told of at most. */
const maximumListed = 10_000;

/** The sets that one resource's meta holds, or that are in use; a set that is empty is left out. */
export interface MetaSets {
  readonly profile?: readonly string[];
  readonly security?: readonly Coding[];
  readonly tag?: readonly Coding[];
}

export const metaSets = ({ meta }: FhirResource): MetaSets => sets(meta?.profile, meta?.security, meta?.tag);

/** The sets of a `meta` from outside. Throws Refusal `bad-request` where one is no list. */
export function admitMetaSets(meta: unknown, expression: string): MetaSets {
  admitMeta(meta, expression);
  return metaSets({ resourceType: 'Basic', meta: meta as Meta });
}

const sets = (
  profile: readonly string[] = [],
  security: readonly Coding[] = [],
  tag: readonly Coding[] = [],
): MetaSets => ({
  ...(profile.length > 0 && { profile }),
  ...(security.length > 0 && { security }),
  ...(tag.length > 0 && { tag }),
});

/** "The identity of a tag or security label is the system+code"; version and display are not looked at. */
const codingKey = ({ system = '', code = '' }: Coding): string => JSON.stringify([system, code]);
const profileKey = (profile: string): string => profile;

/** The resource with these in its sets besides what is there; nothing is there twice. */
export const withMeta = (resource: FhirResource, more: MetaSets): FhirResource =>
  replaced(resource, more, (has, extra, key) => {
    const known = new Set(has.map(key));
    return [...has, ...extra.filter((item) => known.size < known.add(key(item)).size)];
  });

/** The resource without these in its sets. */
export const withoutMeta = (resource: FhirResource, less: MetaSets): FhirResource =>
  replaced(resource, less, (has, extra, key) => {
    const unwanted = new Set(extra.map(key));
    return has.filter((item) => !unwanted.has(key(item)));
  });

type Combine = <T>(has: readonly T[], extra: readonly T[], key: (item: T) => string) => readonly T[];

function replaced(resource: FhirResource, change: MetaSets, combine: Combine): FhirResource {
  const { profile, security, tag, ...others } = resource.meta ?? {};
  const meta = {
    ...others,
    ...sets(
      combine(profile ?? [], change.profile ?? [], profileKey),
      combine(security ?? [], change.security ?? [], codingKey),
      combine(tag ?? [], change.tag ?? [], codingKey),
    ),
  };
  return { ...resource, meta: meta as Meta };
}

/** All that the resources of these types have in their sets, each once. */
export async function metaInUse({ resources }: Reading, types: readonly string[]): Promise<MetaSets> {
  const found = { profile: new Map<string, string>(), security: new Map<string, Coding>(), tag: new Map<string, Coding>() }; // prettier-ignore
  for (const type of types) {
    const list = (name: string, kind: 'token' | 'uri'): Promise<readonly IndexedCode[]> =>
      resources.distinctCodes(`${type}.${name}`, kind, maximumListed);
    for (const { code } of await list('_profile', 'uri')) found.profile.set(code, code);
    for (const one of await list('_security', 'token')) found.security.set(codingKey(one), codingOf(one));
    for (const one of await list('_tag', 'token')) found.tag.set(codingKey(one), codingOf(one));
  }
  const { profile, security, tag } = found;
  return sets([...profile.values()], [...security.values()], [...tag.values()]);
}

const codingOf = ({ system, code }: IndexedCode): Coding => (system === '' ? { code } : { system, code });
