// What a Bundle entry's request.url names: https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.request.url
import { badRequest } from '../kernel/outcomes.ts';

export type Target =
  | { readonly kind: 'type'; readonly type: string }
  | { readonly kind: 'matching'; readonly type: string; readonly query: string }
  | { readonly kind: 'instance'; readonly type: string; readonly id: string }
  | { readonly kind: 'version'; readonly type: string; readonly id: string; readonly version: string }
  | { readonly kind: 'history'; readonly type: string; readonly id: string };

/** Reads a relative URL, or an absolute one under `base`. Throws Refusal `bad-request` for anything else. */
export function targetOf(url: string, base: string): Target {
  const relative = url.startsWith(`${base}/`) ? url.slice(base.length + 1) : url.replace(/^\//, '');
  const mark = relative.indexOf('?');
  const path = mark < 0 ? relative : relative.slice(0, mark);
  const query = mark < 0 ? undefined : relative.slice(mark + 1);
  const parts = path.split('/');
  const [type = '', id = '', history, version] = parts;
  if (type === '') throw badRequest('the url names no resource type');
  if (parts.length === 1) {
    return query === undefined ? { kind: 'type', type } : { kind: 'matching', type, query };
  }
  if (parts.length === 2 && id === '_search') throw badRequest('in a Bundle a search is a GET of Type?query');
  if (parts.length === 2 && query !== undefined && query !== '') {
    throw badRequest('in a Bundle the url of a resource has no parameters');
  }
  if (parts.length === 2) return { kind: 'instance', type, id };
  if (history === '_history' && parts.length === 3) return { kind: 'history', type, id };
  if (history === '_history' && parts.length === 4 && version) return { kind: 'version', type, id, version };
  throw badRequest('the url is not that of a type, a resource, a version, a history or a search');
}
