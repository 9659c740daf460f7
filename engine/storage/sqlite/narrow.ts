// Several ranges asked of one parameter (`date=ge2026-01-01&date=lt2026-02-01`) as one stretch of its index: right wherever no resource has
// several values of the parameter, so that the one value must be in all of them.
import type { Condition, Leaf, Span } from '../../search/plan.ts';
import type { Names } from './names.ts';

type SpanLeaf = Extract<Leaf, { readonly kind: 'date' | 'number' | 'quantity' }>;

/** What a span leaf may carry besides: further spans, which the same value is in. */
export interface NarrowerLeaf {
  readonly narrower?: readonly Span[];
}

type NarrowedLeaf = SpanLeaf & NarrowerLeaf;

/** The parts of an `and`, with those on one value put together. */
export function narrowed(names: Names, parts: readonly Condition[]): readonly Condition[] {
  const left: Condition[] = [];
  const byValue = new Map<string, NarrowedLeaf>();
  for (const part of parts) {
    const leaf = part.op === 'leaf' && isSpan(part.leaf) ? part.leaf : undefined;
    if (leaf === undefined || repeats(names, leaf)) left.push(part);
    else byValue.set(valueOf(leaf), narrower(byValue.get(valueOf(leaf)), leaf));
  }
  return [...[...byValue.values()].map((leaf): Condition => ({ op: 'leaf', leaf })), ...left];
}

const isSpan = (leaf: Leaf): leaf is SpanLeaf =>
  leaf.kind === 'date' || leaf.kind === 'number' || leaf.kind === 'quantity';

const repeats = (names: Names, leaf: SpanLeaf): boolean =>
  names.fact(names.find('parameter', leaf.parameter)).repeats === 1;

/** Leaves of different units ask for different values, or for none. */
const valueOf = (leaf: SpanLeaf): string =>
  JSON.stringify([
    leaf.parameter,
    leaf.kind,
    leaf.kind === 'quantity' ? [leaf.unit ?? null, leaf.system ?? null] : [],
  ]);

const narrower = (first: NarrowedLeaf | undefined, leaf: SpanLeaf): NarrowedLeaf =>
  first === undefined ? leaf : { ...first, narrower: [...(first.narrower ?? []), leaf] };
