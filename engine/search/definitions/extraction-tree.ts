// Paths merged into a tree, so that a resource is walked once however many parameters look into it.
import type { Branch, Step } from './compile-expression.ts';
import type { ExtractionNode } from './compiled.ts';

/** A value wanted by parameters: where it lies, and the extractor that reads it there. */
export interface Wanted {
  readonly key: string;
  readonly branch: Branch;
  readonly extractor: string;
}

interface Growing {
  readonly step: Step;
  readonly emit: [string, number][];
  readonly children: Growing[];
}

/** The tree over all wanted values, each to be indexed under its name. */
export function extractionTree(
  wanted: readonly { readonly want: Wanted; readonly name: number }[],
): readonly ExtractionNode[] {
  const root: Growing[] = [];
  for (const { want, name } of wanted) {
    let level = root;
    let node: Growing | undefined;
    for (const step of want.branch.steps) {
      node = childFor(level, step);
      level = node.children;
    }
    node?.emit.push([want.extractor, name]);
  }
  return root.map(finished);
}

function childFor(level: Growing[], step: Step): Growing {
  const known = level.find((node) => sameStep(node.step, step));
  if (known !== undefined) return known;
  const grown: Growing = { step, emit: [], children: [] };
  level.push(grown);
  return grown;
}

const sameStep = (one: Step, other: Step): boolean =>
  one.property === other.property &&
  one.where?.[0] === other.where?.[0] &&
  one.where?.[1] === other.where?.[1];

const finished = ({ step, emit, children }: Growing): ExtractionNode => ({
  ...step,
  ...(emit.length > 0 ? { emit } : {}),
  ...(children.length > 0 ? { children: children.map(finished) } : {}),
});
