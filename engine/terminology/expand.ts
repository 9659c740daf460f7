// The codes of a value set, by its definition. https://hl7.org/fhir/R4/valueset.html#expansion
import { badRequest } from '../kernel/outcomes.ts';
import { difference, treeOf } from './concept-tree.ts';
import type { Selection, ValueSetContent } from './content.ts';
import type { TerminologySource } from './terminology-source.ts';

/** Codes by system; `all`: whatever has that system. */
export type Expansion = ReadonlyMap<string, ReadonlySet<string> | 'all'>;

/** More codes than this are refused: an index cannot be asked for so many. */
export const maximumCodes = 10_000;
const deepestImport = 8;

/**
 * Throws Refusal `bad-request`, saying why, for a value set that is not known here, needs a code system that is not, or has too many
 * codes.
 */
export async function expand(source: TerminologySource, canonical: string): Promise<Expansion> {
  return expandWithin(source, canonical, []);
}

/** The codes of a value set that is at hand. Throws as `expand` does. */
export const expandContent = (source: TerminologySource, content: ValueSetContent): Promise<Expansion> =>
  expandSelections(source, content, [content.url]);

async function expandWithin(
  source: TerminologySource,
  canonical: string,
  inside: readonly string[],
): Promise<Expansion> {
  if (inside.includes(canonical)) throw cannot(canonical, 'it imports itself');
  if (inside.length > deepestImport) throw cannot(canonical, 'its imports go too deep');
  const content = await source.valueSet(canonical);
  if (content === undefined) throw cannot(canonical, 'it is not known here');
  return expandSelections(source, content, [...inside, canonical]);
}

async function expandSelections(
  source: TerminologySource,
  content: ValueSetContent,
  path: readonly string[],
): Promise<Expansion> {
  const canonical = path.at(-1) ?? '';
  let codes: Expansion = new Map();
  for (const selection of content.include) {
    codes = united(codes, await selected(source, selection, path));
    if (sizeOf(codes) > maximumCodes) throw cannot(canonical, `it has more than ${maximumCodes} codes`);
  }
  for (const selection of content.exclude) {
    codes = reduced(codes, await selected(source, selection, path), canonical);
  }
  return codes;
}

/** What a system part and each imported value set have in common. */
async function selected(
  source: TerminologySource,
  selection: Selection,
  path: readonly string[],
): Promise<Expansion> {
  const parts: Expansion[] = [];
  if (selection.system !== undefined) parts.push(await ofSystem(source, selection.system, selection, path));
  for (const valueSet of selection.valueSets ?? []) {
    parts.push(await expandWithin(source, valueSet, path));
  }
  const [first = new Map<string, ReadonlySet<string>>(), ...others] = parts;
  return others.reduce((all, one) => common(all, one), first);
}

async function ofSystem(
  source: TerminologySource,
  system: string,
  { codes, filters }: Selection,
  path: readonly string[],
): Promise<Expansion> {
  if (codes !== undefined) return new Map([[system, new Set(codes)]]);
  const content = await source.codeSystem(system);
  if (filters === undefined) {
    const whole = content?.complete === true && content.concepts.length <= maximumCodes;
    return new Map([[system, whole ? new Set(content.concepts.map(({ code }) => code)) : 'all']]);
  }
  if (content === undefined || content.concepts.length === 0) {
    throw cannot(path.at(-1) ?? '', `the codes of ${system.slice(0, 200)} are not known here`);
  }
  const tree = treeOf(content);
  const kept = filters.map((filter) => tree.filtered(filter));
  return new Map([[system, kept.reduce((all, one) => all.intersection(one))]]);
}

function united(one: Expansion, other: Expansion): Expansion {
  const all = new Map(one);
  for (const [system, codes] of other) {
    const known = all.get(system);
    all.set(system, known === 'all' || codes === 'all' ? 'all' : (known?.union(codes) ?? codes));
  }
  return all;
}

function common(one: Expansion, other: Expansion): Expansion {
  const both = new Map<string, ReadonlySet<string> | 'all'>();
  for (const [system, codes] of one) {
    const others = other.get(system);
    if (others === undefined) continue;
    both.set(system, codes === 'all' ? others : others === 'all' ? codes : codes.intersection(others));
  }
  return both;
}

function reduced(codes: Expansion, excluded: Expansion, canonical: string): Expansion {
  const left = new Map(codes);
  for (const [system, gone] of excluded) {
    const known = left.get(system);
    if (known === undefined) continue;
    if (gone === 'all') left.delete(system);
    else if (known === 'all') {
      throw cannot(canonical, 'it leaves codes out of a system that is not known here');
    } else left.set(system, difference(known, gone));
  }
  return left;
}

/** How many codes; a whole system is one. */
export function sizeOf(codes: Expansion): number {
  let size = 0;
  for (const some of codes.values()) size += some === 'all' ? 1 : some.size;
  return size;
}

const cannot = (canonical: string, why: string): Error =>
  badRequest(`the value set ${canonical.slice(0, 200)} cannot be expanded: ${why}`);

/**
 * The code and all that lie under it (`below`) or over it (`above`) in its system. Throws Refusal `bad-request` where the system is not
 * known here.
 */
export async function subsumed(
  source: TerminologySource,
  system: string,
  code: string,
  direction: 'above' | 'below',
): Promise<ReadonlySet<string>> {
  const content = await source.codeSystem(system);
  if (content === undefined || content.concepts.length === 0) {
    throw badRequest(`the hierarchy of the code system ${system.slice(0, 200)} is not known here`);
  }
  const tree = treeOf(content);
  const found = direction === 'above' ? tree.above(code) : tree.below(code);
  if (found.size > maximumCodes) {
    throw badRequest(`more than ${maximumCodes} codes of ${system.slice(0, 200)} are ${direction} that code`);
  }
  return found.size === 0 ? new Set([code]) : found;
}
