// Paths merged into a tree, so that a resource is walked once however many parameters look into it.
import type { Branch, Step } from './compile-expression.ts';
import type { CompositeNode, ExtractionNode } from './compiled.ts';

/** A value wanted by parameters: where it lies, and the extractor that reads it there. */
export interface Wanted {
  readonly key: string;
  readonly branch: Branch;
  readonly extractor: string;
}

/** Composite entries wanted of the values of a branch. */
export interface WantedComposite {
  readonly branch: Branch;
  readonly name: number;
  readonly components: readonly (readonly Wanted[])[];
}

interface Growing {
  readonly step: Step;
  readonly emit: [string, number][];
  readonly children: Growing[];
  readonly composites: CompositeNode[];
}

/** The tree over all wanted values, each to be indexed under its name, and all wanted composites. */
export function extractionTree(
  wanted: readonly { readonly want: Wanted; readonly name: number }[],
  composites: readonly WantedComposite[] = [],
): readonly ExtractionNode[] {
  const root: Growing[] = [];
  for (const { want, name } of wanted) {
    nodeAt(root, want.branch.steps)?.emit.push([want.extractor, name]);
  }
  for (const composite of composites) {
    nodeAt(root, composite.branch.steps)?.composites.push(compositeNode(composite));
  }
  return root.map(finished);
}

function nodeAt(root: Growing[], steps: readonly Step[]): Growing | undefined {
  let level = root;
  let node: Growing | undefined;
  for (const step of steps) {
    node = childFor(level, step);
    level = node.children;
  }
  return node;
}

const compositeNode = ({ branch, name, components }: WantedComposite): CompositeNode => ({
  name,
  components: components.map((wants) => {
    const inside = wants.every((want) => isInside(want.branch, branch));
    const cut = inside ? branch.steps.length : 0;
    const relative = wants.map((want) => ({
      want: { ...want, branch: { ...want.branch, steps: want.branch.steps.slice(cut) } },
      name,
    }));
    return { fromResource: !inside, nodes: extractionTree(relative) };
  }),
});

const isInside = (one: Branch, outer: Branch): boolean =>
  one.steps.length > outer.steps.length &&
  outer.steps.every((step, place) => {
    const other = one.steps[place];
    return other !== undefined && sameStep(step, other);
  });

function childFor(level: Growing[], step: Step): Growing {
  const known = level.find((node) => sameStep(node.step, step));
  if (known !== undefined) return known;
  const grown: Growing = { step, emit: [], children: [], composites: [] };
  level.push(grown);
  return grown;
}

const sameStep = (one: Step, other: Step): boolean =>
  one.property === other.property &&
  one.first === other.first &&
  one.where?.[0] === other.where?.[0] &&
  one.where?.[1] === other.where?.[1];

const finished = ({ step, emit, children, composites }: Growing): ExtractionNode => ({
  ...step,
  ...(emit.length > 0 ? { emit } : {}),
  ...(children.length > 0 ? { children: children.map(finished) } : {}),
  ...(composites.length > 0 ? { composites } : {}),
});
