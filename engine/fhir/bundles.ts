// Answering Bundles made as text, in pieces where they can be large: stored bodies are put in as they are, never parsed and written again.
// https://hl7.org/fhir/R4/bundle.html

/** What of a stored version a Bundle needs; StoredVersion has it. */
export interface BundledVersion {
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly lastUpdated: number;
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body: string | undefined;
}

/** Full URLs; absent where there is no such page. */
interface PageLinks {
  readonly self: string;
  readonly first?: string | undefined;
  readonly previous?: string | undefined;
  readonly next: string | undefined;
}

export interface SearchsetParts extends PageLinks {
  /** The FHIR base, without a slash at its end. */
  readonly base: string;
  readonly total: number | undefined;
  readonly matches: readonly BundledVersion[];
  readonly included: readonly BundledVersion[];
  /** The JSON text of an OperationOutcome that tells the client what was left out. */
  readonly outcome?: string;
}

/** A searchset Bundle entry by entry, https://hl7.org/fhir/R4/bundle.html#searchset */
export const searchsetPieces = (parts: SearchsetParts): Iterable<string> =>
  bundlePieces('searchset', parts.total, linksOf(parts), searchEntries(parts));

function* searchEntries({ base, matches, included, outcome }: SearchsetParts): Iterable<string> {
  for (const version of matches) yield searchEntry(base, version, 'match');
  for (const version of included) yield searchEntry(base, version, 'include');
  if (outcome !== undefined) yield `{"resource":${outcome},"search":{"mode":"outcome"}}`;
}

export interface SearchsetEntry {
  readonly version: BundledVersion;
  readonly mode: 'match' | 'include';
}

/** A searchset Bundle whose entries come one after another, as they are read. */
export async function* searchsetStream(
  base: string,
  links: { readonly self: string; readonly next: string | undefined },
  entries: AsyncIterable<SearchsetEntry> | Iterable<SearchsetEntry>,
): AsyncGenerator<string> {
  yield `{"resourceType":"Bundle","type":"searchset","link":${linksOf(links)}`;
  let before = ',"entry":[';
  for await (const { version, mode } of entries) {
    yield before + searchEntry(base, version, mode);
    before = ',';
  }
  yield before === ',' ? ']}' : '}';
}

export interface HistoryParts {
  readonly base: string;
  readonly self: string;
  readonly next: string | undefined;
  readonly total: number | undefined;
  /** Newest first. */
  readonly versions: readonly BundledVersion[];
}

/** A history Bundle entry by entry, https://hl7.org/fhir/R4/bundle.html#history */
export const historyPieces = (parts: HistoryParts): Iterable<string> =>
  bundlePieces('history', parts.total, linksOf(parts), historyEntries(parts));

function* historyEntries({ base, versions }: HistoryParts): Iterable<string> {
  for (const version of versions) yield historyEntry(base, version);
}

/** One entry of the answer to a batch or transaction. */
export interface ResponseEntry {
  /** `201 Created` */
  readonly status: string;
  readonly location?: string;
  readonly etag?: string;
  readonly lastModified?: string;
  /** JSON text of the resource, where the client wants it back. */
  readonly body?: string;
  readonly fullUrl?: string;
  /** JSON text of an OperationOutcome. */
  readonly outcome?: string;
}

/** The answer to a transaction or batch, https://hl7.org/fhir/R4/bundle.html#transaction-response */
export const responseText = (
  type: 'transaction-response' | 'batch-response',
  entries: readonly ResponseEntry[],
): string => bundleText(type, undefined, entries.map(responseEntry));

function searchEntry(base: string, version: BundledVersion, mode: 'match' | 'include'): string {
  return `{${fullUrl(base, version)}${resourceOf(version)},"search":{"mode":"${mode}"}}`;
}

const statusOf = { POST: '201 Created', PUT: '200 OK', PATCH: '200 OK', DELETE: '204 No Content' } as const;

function historyEntry(base: string, version: BundledVersion): string {
  const url = version.method === 'POST' ? version.type : `${version.type}/${version.id}`;
  const request = `{"method":"${version.method}","url":"${url}"}`;
  const response = JSON.stringify({
    status: version.method === 'PUT' && version.version === 1 ? statusOf.POST : statusOf[version.method],
    etag: `W/"${version.version}"`,
    lastModified: new Date(version.lastUpdated).toISOString(),
  });
  return `{${fullUrl(base, version)}${resourceOf(version)},"request":${request},"response":${response}}`;
}

function responseEntry(entry: ResponseEntry): string {
  const { body, fullUrl: url, outcome, ...response } = entry;
  const told = JSON.stringify(response);
  const withOutcome = outcome === undefined ? told : `${told.slice(0, -1)},"outcome":${outcome}}`;
  const before = url === undefined ? '' : `"fullUrl":${JSON.stringify(url)},`;
  return `{${before}${body === undefined ? '' : `"resource":${body},`}"response":${withOutcome}}`;
}

const fullUrl = (base: string, version: BundledVersion): string =>
  `"fullUrl":${JSON.stringify(`${base}/${version.type}/${version.id}`)}`;

const resourceOf = (version: BundledVersion): string =>
  version.body === undefined ? '' : `,"resource":${version.body}`;

const linksOf = ({ self, first, previous, next }: PageLinks): string =>
  JSON.stringify(
    Object.entries({ self, first, previous, next }).flatMap(([relation, url]) =>
      url === undefined ? [] : [{ relation, url }],
    ),
  );

const bundleText = (type: string, links: string | undefined, entries: readonly string[]): string =>
  [...bundlePieces(type, undefined, links, entries)].join('');

/** Empty arrays are not allowed in FHIR JSON: a Bundle without entries has no `entry`. */
function* bundlePieces(
  type: string,
  total: number | undefined,
  links: string | undefined,
  entries: Iterable<string>,
): Generator<string> {
  yield `{"resourceType":"Bundle","type":"${type}"`;
  if (total !== undefined) yield `,"total":${total}`;
  if (links !== undefined) yield `,"link":${links}`;
  let before = ',"entry":[';
  for (const entry of entries) {
    yield before + entry;
    before = ',';
  }
  yield before === ',' ? ']}' : '}';
}
