// https://hl7.org/fhir/R4/http.html#transaction, batch: each entry by itself, its answer in its place.
import type { Bundle, BundleEntry } from '@medplum/fhirtypes';
import { Refusal } from '../kernel/outcomes.ts';
import { admitType } from './admit.ts';
import { createBreath } from './breath.ts';
import { answerRead, answerRefused, answerWritten, type OtherReads } from './bundle-response.ts';
import { entriesOf, namedAsync, requestOf, type Request } from './bundle-entries.ts';
import { perform, stepOf } from './bundle-step.ts';
import { createReadLimit } from './read-limit.ts';
import type { BundleChoice } from './repository.ts';
import type { Reading, Work } from './work.ts';

/** Runs one entry's work in a transaction of its own. */
export type Alone = <T>(work: (work: Work) => Promise<T>) => Promise<T>;

/** Entries whose writes are handed to the store at once: enough to share commits, too few to fill its queue. */
const sliceLength = 256;

/** Writes are done in order of the entries, reads after all of them. */
export async function applyBatch(
  reading: Reading,
  bundle: Bundle,
  alone: Alone,
  {
    refused,
    others,
  }: { readonly refused?: BundleChoice['refused']; readonly others: OtherReads | undefined },
): Promise<Bundle> {
  const base = reading.parts.base();
  const requests = entriesOf(bundle).map((entry, place): Asked => {
    const refusal = refused?.get(place);
    return refusal ? { refused: answerRefused(refusal) } : requested(entry, place, base);
  });
  const written: (BundleEntry | undefined)[] = [];
  for (let start = 0; start < requests.length; start += sliceLength) {
    const slice = requests.slice(start, start + sliceLength);
    written.push(...(await Promise.all(slice.map((request) => writeAnswer(request, alone)))));
  }
  const entry: BundleEntry[] = [];
  const limited = createReadLimit();
  const breathe = createBreath();
  for (const [place, request] of requests.entries()) {
    await breathe();
    entry.push(written[place] ?? limited(await readAnswer(reading, request, others)));
  }
  return { resourceType: 'Bundle', type: 'batch-response', ...(entry.length === 0 ? {} : { entry }) };
}

type Asked = Request | { readonly refused: BundleEntry };

async function writeAnswer(asked: Asked, alone: Alone): Promise<BundleEntry | undefined> {
  if ('refused' in asked) return asked.refused;
  return isRead(asked) ? undefined : refusable(() => writeAlone(asked, alone));
}

const isRead = ({ method }: Request): boolean => method === 'GET' || method === 'HEAD';

async function readAnswer(
  reading: Reading,
  asked: Asked,
  others: OtherReads | undefined,
): Promise<BundleEntry> {
  return 'refused' in asked ? asked.refused : refusable(() => readAlone(reading, asked, others));
}

function requested(entry: unknown, place: number, base: string): Asked {
  try {
    return requestOf(entry, place, base);
  } catch (error) {
    return { refused: refused(error) };
  }
}

function writeAlone(request: Request, alone: Alone): Promise<BundleEntry> {
  return alone((work) =>
    namedAsync(request.place, async () => {
      const step = await stepOf(work, request);
      if (step.kind === 'read') return answerRead(work, step.request, undefined);
      return answerWritten(await perform(work, step));
    }),
  );
}

function readAlone(reading: Reading, request: Request, others: OtherReads | undefined): Promise<BundleEntry> {
  return namedAsync(request.place, () => {
    const { target } = request;
    if (target.kind !== 'other') admitType(reading.parts.index, target.type);
    return answerRead(reading, request, others);
  });
}

async function refusable(answer: () => Promise<BundleEntry>): Promise<BundleEntry> {
  try {
    return await answer();
  } catch (error) {
    return refused(error);
  }
}

/** Whatever is no refusal is a defect, and ends the whole request. */
function refused(error: unknown): BundleEntry {
  if (error instanceof Refusal) return answerRefused(error);
  throw error;
}
