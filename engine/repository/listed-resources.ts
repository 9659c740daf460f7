// What Lists name, for a history: https://hl7.org/fhir/R4/http.html#history, `_list`.
import { parseResource } from '../fhir/exact-json.ts';
import { parseReference } from '../fhir/references.ts';
import { badRequest } from '../kernel/outcomes.ts';
import { allOf, leaf } from '../search/condition.ts';
import { readLists, type AskedLists } from '../search/request/lists.ts';
import type { ListedVersion, StoredVersion } from '../storage/resource-store.ts';
import { allMatches } from './all-matches.ts';
import { createBreath } from './breath.ts';
import type { Reading } from './work.ts';

/** More are refused. */
const maximumListed = 10_000;

/**
 * The resources that these Lists name, those with a version by that version alone, each once. Throws Refusal `unknown-parameter` for a list
 * that is not known, `bad-request` for too many.
 */
export async function listedResources(reading: Reading, value: string): Promise<readonly ListedVersion[]> {
  const { index, base } = reading.parts;
  const limits = { lenient: false, base: base(), defaultCount: 1, maximumCount: 1 };
  const asked = readLists(
    value,
    (type, key, text) =>
      index.request(type, new URLSearchParams([[key, text]]).toString(), limits).plan.where,
  );
  const found = new Map<string, ListedVersion>();
  for (const one of asked) {
    for (const item of await meantBy(reading, one)) {
      found.set(`${item.type}/${item.id}/${item.version ?? ''}`, item);
    }
  }
  return [...found.values()].filter(
    ({ type, id, version }) => version === undefined || !found.has(`${type}/${id}/`),
  );
}

async function meantBy(reading: Reading, { lists, among }: AskedLists): Promise<readonly ListedVersion[]> {
  const items: ListedVersion[] = [];
  const breathe = createBreath();
  for await (const list of allMatches(reading, 'List', lists)) {
    items.push(...itemsOf(list, reading.parts.base()));
    if (items.length > maximumListed) throw badRequest(`_list names more than ${maximumListed} resources`);
    await breathe();
  }
  if (among === undefined) return items;
  const values = items.filter(({ type }) => type === among.type).map(({ id }) => id);
  const kept = new Set<string>();
  const where = allOf([leaf({ kind: 'id', values }), among.where]);
  for await (const { id } of allMatches(reading, among.type, where)) kept.add(id);
  return items.filter(({ type, id }) => type === among.type && kept.has(id));
}

function itemsOf({ body }: StoredVersion, base: string): readonly ListedVersion[] {
  const entries: unknown = body === undefined ? undefined : parseResource(body)['entry'];
  if (!Array.isArray(entries)) return [];
  return entries.flatMap((entry: { readonly item?: { readonly reference?: unknown } } | null) => {
    const reference = entry?.item?.reference;
    return typeof reference === 'string' ? itemOf(reference, base) : [];
  });
}

/** As versions are counted here: no other leads to anything. */
const versionNumber = /^[1-9]\d{0,14}$/;

function itemOf(reference: string, base: string): readonly ListedVersion[] {
  const local = reference.startsWith(`${base}/`) ? reference.slice(base.length + 1) : reference;
  const parsed = parseReference(local);
  if (parsed.kind !== 'relative') return [];
  const { type, id, version } = parsed;
  if (version === undefined) return [{ type, id, version }];
  return versionNumber.test(version) ? [{ type, id, version: Number(version) }] : [];
}
