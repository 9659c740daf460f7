// How the codes of a value set are shown: by what the value set itself says, else by their code system.
import { treeOf } from './concept-tree.ts';
import type { ValueSetContent } from './content.ts';
import type { TerminologySource } from './terminology-source.ts';

/** Imports that are looked into. */
const mostImports = 50;

/** Shows codes; undefined where nothing is said of one. */
export type Displays = (system: string, code: string) => string | undefined;

/** `systems`: those whose codes are to be shown. */
export async function displaysIn(
  source: TerminologySource,
  content: ValueSetContent,
  systems: Iterable<string>,
): Promise<Displays> {
  const named = await namedDisplays(source, content);
  const trees = new Map<string, ReturnType<typeof treeOf>>();
  for (const system of systems) {
    const codes = await source.codeSystem(system);
    if (codes !== undefined) trees.set(system, treeOf(codes));
  }
  return (system, code) => named.get(`${system}|${code}`) ?? trees.get(system)?.concept(code)?.display;
}

/** By `system|code`, of the value set and of those that it imports. */
async function namedDisplays(
  source: TerminologySource,
  content: ValueSetContent,
): Promise<ReadonlyMap<string, string>> {
  const named = new Map<string, string>();
  const imports = new Set<string>();
  const note = ({ include }: ValueSetContent): void => {
    for (const { system = '', displays = {}, valueSets = [] } of include) {
      for (const [code, display] of Object.entries(displays)) named.set(`${system}|${code}`, display);
      for (const one of valueSets) if (imports.size < mostImports) imports.add(one);
    }
  };
  note(content);
  // A set that grows while it is walked is walked to its end.
  for (const canonical of imports) {
    const imported = await source.valueSet(canonical);
    if (imported !== undefined) note(imported);
  }
  return named;
}
