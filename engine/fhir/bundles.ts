// Answering Bundles made as text: stored bodies are put in as they are, never parsed and written again.
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

export interface SearchsetParts {
  /** The FHIR base, without a slash at its end. */
  readonly base: string;
  /** Full URLs. */
  readonly self: string;
  readonly next: string | undefined;
  readonly total: number | undefined;
  readonly matches: readonly BundledVersion[];
  readonly included: readonly BundledVersion[];
  /** The JSON text of an OperationOutcome that tells the client what was left out. */
  readonly outcome?: string;
}

/** A searchset Bundle, https://hl7.org/fhir/R4/bundle.html#searchset */
export function searchsetText(parts: SearchsetParts): string {
  const entries = [
    ...parts.matches.map((version) => searchEntry(parts.base, version, 'match')),
    ...parts.included.map((version) => searchEntry(parts.base, version, 'include')),
    ...(parts.outcome === undefined ? [] : [`{"resource":${parts.outcome},"search":{"mode":"outcome"}}`]),
  ];
  return bundleText('searchset', parts.total, linksOf(parts.self, parts.next), entries);
}

export interface HistoryParts {
  readonly base: string;
  readonly self: string;
  readonly next: string | undefined;
  readonly total: number | undefined;
  /** Newest first. */
  readonly versions: readonly BundledVersion[];
}

/** A history Bundle, https://hl7.org/fhir/R4/bundle.html#history */
export const historyText = (parts: HistoryParts): string =>
  bundleText(
    'history',
    parts.total,
    linksOf(parts.self, parts.next),
    parts.versions.map((version) => historyEntry(parts.base, version)),
  );

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
): string => bundleText(type, undefined, undefined, entries.map(responseEntry));

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

const linksOf = (self: string, next: string | undefined): string =>
  JSON.stringify([
    { relation: 'self', url: self },
    ...(next === undefined ? [] : [{ relation: 'next', url: next }]),
  ]);

/** Empty arrays are not allowed in FHIR JSON: a Bundle without entries has no `entry`. */
function bundleText(
  type: string,
  total: number | undefined,
  links: string | undefined,
  entries: readonly string[],
): string {
  return [
    `{"resourceType":"Bundle","type":"${type}"`,
    total === undefined ? '' : `,"total":${total}`,
    links === undefined ? '' : `,"link":${links}`,
    entries.length === 0 ? '' : `,"entry":[${entries.join(',')}]`,
    '}',
  ].join('');
}
