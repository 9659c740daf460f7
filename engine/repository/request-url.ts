// What a Bundle entry's request.url names: https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.request.url
import { badRequest } from '../kernel/outcomes.ts';

export type Target =
  | { readonly kind: 'type'; readonly type: string }
  | { readonly kind: 'matching'; readonly type: string; readonly query: string }
  | { readonly kind: 'instance'; readonly type: string; readonly id: string }
  | { readonly kind: 'version'; readonly type: string; readonly id: string; readonly version: string }
  /** Whatever else can be read: `type` is ''. */
  | { readonly kind: 'other'; readonly type: ''; readonly path: string; readonly query: string };

/** Reads a relative URL, or an absolute one under `base`. Throws Refusal `bad-request` for anything else. */
export function targetOf(url: string, base: string): Target {
  const { path, query } = partsOf(url, base);
  const parts = path.split('/');
  const [type = '', id = '', history, version] = parts;
  if (type === '') throw badRequest('the url names no resource type');
  if (parts.length === 1) {
    return query === undefined ? { kind: 'type', type } : { kind: 'matching', type, query };
  }
  if (parts.length === 2 && id === '_search') throw badRequest('in a Bundle a search is a GET of Type?query');
  if (parts.length === 2 && query !== undefined && query !== '') {
    throw badRequest('in a Bundle the url of a resource that is written has no parameters');
  }
  if (parts.length === 2) return { kind: 'instance', type, id };
  if (history === '_history' && parts.length === 4 && version) return { kind: 'version', type, id, version };
  throw badRequest('the url is not that of a type, a resource, a version or a search');
}

/** The reads that a repository answers by itself: a resource, a version, a search over one type. */
const plainRead = /^[A-Z][A-Za-z]*(?:\/[A-Za-z0-9.-]{1,64}(?:\/_history\/[^/]+)?)?$/;
/** How an answer is shown is not the repository's matter. */
const shown = /(?:^|&)_(?:format|pretty|summary|elements)=/;

/** The same of what is read: any url under `base`. Throws Refusal `bad-request` for one that leads elsewhere. */
export function readTargetOf(url: string, base: string): Target {
  const { path, query = '' } = partsOf(url, base);
  if (path === '' && query === '') throw badRequest('the url names nothing that can be read');
  if (/^[a-z][a-z0-9+.-]*:/i.test(path)) throw badRequest('the url is not one of this server');
  const isPlain = plainRead.test(path) && (query === '' || (!path.includes('/') && !shown.test(query)));
  return isPlain ? targetOf(url, base) : { kind: 'other', type: '', path, query };
}

function partsOf(url: string, base: string): { readonly path: string; readonly query: string | undefined } {
  const relative = url.startsWith(`${base}/`) ? url.slice(base.length + 1) : url.replace(/^\//, '');
  const mark = relative.indexOf('?');
  return mark < 0
    ? { path: relative, query: undefined }
    : { path: relative.slice(0, mark), query: relative.slice(mark + 1) };
}
