// A value set with its codes: https://hl7.org/fhir/R4/valueset-operation-expand.html
import type { FhirResource } from '../fhir/resource.ts';
import { badRequest } from '../kernel/outcomes.ts';
import { foldString } from '../search/fold-string.ts';
import type { ValueSetContent } from '../terminology/content.ts';
import { displaysIn, type Displays } from '../terminology/displays.ts';
import { expandContent, type Expansion } from '../terminology/expand.ts';
import type { TerminologySource } from '../terminology/terminology-source.ts';
import { instant } from './stamp.ts';
import type { Parts } from './work.ts';

export interface ExpansionWish {
  /** Words, each of which begins a word of the display, or the code. */
  readonly filter: string | undefined;
  readonly offset: number;
  /** undefined: all. */
  readonly count: number | undefined;
}

interface Shown {
  readonly system?: string;
  readonly code: string;
  readonly display?: string;
}

/** Throws Refusal `bad-request`, saying why, where it cannot be expanded. */
export async function expandedValueSet(
  { ids, clock }: Pick<Parts, 'ids' | 'clock'>,
  source: TerminologySource,
  content: ValueSetContent,
  wish: ExpansionWish,
): Promise<FhirResource> {
  const codes = await expandContent(source, content);
  refuseUnknown(codes);
  const all = shownCodes(codes, await displaysIn(source, content, codes.keys())).filter(
    matching(wish.filter),
  );
  const { offset, count = all.length } = wish;
  const contains = all.slice(offset, offset + count);
  const { url, name, version } = content;
  return {
    resourceType: 'ValueSet',
    ...(url === '' ? {} : { url }),
    ...(version === undefined ? {} : { version }),
    ...(name === undefined ? {} : { name }),
    status: 'active',
    expansion: {
      identifier: `urn:uuid:${ids.next()}`,
      timestamp: instant(clock.now()),
      total: all.length,
      ...(offset === 0 ? {} : { offset }),
      ...(contains.length === 0 ? {} : { contains }),
    },
  };
}

function refuseUnknown(codes: Expansion): void {
  for (const [system, some] of codes) {
    if (some !== 'all') continue;
    throw badRequest(`the value set has all codes of ${system.slice(0, 200)}, which are not known here`);
  }
}

const shownCodes = (codes: Expansion, displayOf: Displays): readonly Shown[] =>
  [...codes].flatMap(([system, some]) =>
    some === 'all' ? [] : [...some].map((code) => shownCode(system, code, displayOf(system, code))),
  );

const shownCode = (system: string, code: string, display: string | undefined): Shown => ({
  ...(system === '' ? {} : { system }),
  code,
  ...(display === undefined ? {} : { display }),
});

function matching(filter: string | undefined): (shown: Shown) => boolean {
  const words = foldString(filter ?? '')
    .split(' ')
    .filter((word) => word !== '');
  return ({ code, display = '' }) => {
    const text = ` ${foldString(display)}`;
    const lower = code.toLowerCase();
    return words.every((word) => text.includes(` ${word}`) || lower.startsWith(word));
  };
}
