// https://hl7.org/fhir/R4/observation-operation-lastn.html: the last observations of each kind.
import { parseResource } from '../fhir/exact-json.ts';
import { Refusal, unavailable } from '../kernel/outcomes.ts';
import type { StoredVersion } from '../storage/resource-store.ts';
import { understand } from './answer-questions.ts';
import { createBreath } from './breath.ts';
import type { Reading } from './work.ts';

const storePage = 200;
/** Observations looked through; more are refused. */
const maximumSeen = 50_000;

/** Observations that share a coding are of one kind: whichever was met first. */
export async function lastN(reading: Reading, query: string, max: number): Promise<readonly StoredVersion[]> {
  const { parts, resources } = reading;
  const limits = { lenient: false, base: parts.base(), defaultCount: storePage, maximumCount: storePage };
  const { plan, unfinished } = await understand(reading, (answers) =>
    parts.index.request('Observation', query, { ...limits, answers }),
  );
  if (unfinished.length > 0) {
    throw unavailable(`not everything is indexed by ${unfinished.join(', ')} yet; try again later`);
  }
  const newestFirst = parts.index.request('Observation', '_sort=-date', limits).plan.order;
  const kinds = new Kinds(max);
  const breathe = createBreath();
  let seen = 0;
  let after: string | undefined;
  do {
    const page = await resources.search({ ...plan, order: newestFirst, count: storePage, after });
    for (const version of page.matches) kinds.add(version);
    seen += page.matches.length;
    if (seen > maximumSeen) {
      throw new Refusal('too-large', 'too many observations are to be looked through; narrow the search');
    }
    await breathe();
    after = page.next;
  } while (after !== undefined);
  return kinds.all();
}

class Kinds {
  readonly #max: number;
  readonly #kinds: StoredVersion[][] = [];
  readonly #byCoding = new Map<string, StoredVersion[]>();

  constructor(max: number) {
    this.#max = max;
  }

  add(version: StoredVersion): void {
    const codings = codingsOf(version);
    const known = codings.map((coding) => this.#byCoding.get(coding)).find((kind) => kind !== undefined);
    const kind = known ?? [];
    if (!known) this.#kinds.push(kind);
    for (const coding of codings) if (!this.#byCoding.has(coding)) this.#byCoding.set(coding, kind);
    if (kind.length < this.#max) kind.push(version);
  }

  all(): readonly StoredVersion[] {
    return this.#kinds.flat();
  }
}

/** `system|code` of each coding; the text where there is none. */
function codingsOf({ body }: StoredVersion): readonly string[] {
  const { code } = parseResource(body ?? '');
  const { coding, text } = (code ?? {}) as { readonly coding?: unknown; readonly text?: unknown };
  const codings = Array.isArray(coding)
    ? (coding as readonly { readonly system?: string; readonly code?: string }[])
    : [];
  const named = codings.filter((one) => one.code !== undefined);
  if (named.length === 0) return [`text:${String(text)}`];
  return named.map((one) => `${one.system ?? ''}|${one.code ?? ''}`);
}
