// Whether a code is one of a code system, or of a value set. https://hl7.org/fhir/R4/terminology-service.html#validation
import { treeOf } from './concept-tree.ts';
import type { ValueSetContent } from './content.ts';
import { displaysIn } from './displays.ts';
import { expandContent } from './expand.ts';
import type { TerminologySource } from './terminology-source.ts';

/** What is asked about. */
export interface Coded {
  /** undefined: whichever system has the code. */
  readonly system: string | undefined;
  readonly code: string;
  readonly display: string | undefined;
}

export interface Verdict {
  readonly result: boolean;
  /** Why not. */
  readonly message?: string;
  /** As it should be shown. */
  readonly display?: string;
}

export async function validateInSystem(
  source: TerminologySource,
  system: string,
  coded: Coded,
): Promise<Verdict> {
  const content = await source.codeSystem(system);
  if (content === undefined || content.concepts.length === 0) {
    return no(`the codes of ${shown(system)} are not known here`);
  }
  const concept = treeOf(content).concept(coded.code);
  if (concept === undefined) return no(`${shown(coded.code)} is not a code of ${shown(system)}`);
  return withDisplay(coded, concept.display);
}

/** Throws Refusal `bad-request` where the value set cannot be expanded. */
export async function validateInValueSet(
  source: TerminologySource,
  content: ValueSetContent,
  coded: Coded,
): Promise<Verdict> {
  const codes = await expandContent(source, content);
  const systems = coded.system === undefined ? [...codes.keys()] : [coded.system];
  for (const system of systems) {
    const members = codes.get(system);
    // A whole system: its codes are what it says they are.
    if (members === 'all') {
      const verdict = await validateInSystem(source, system, coded);
      if (verdict.result || coded.system !== undefined) return verdict;
    } else if (members?.has(coded.code) === true) {
      const display = (await displaysIn(source, content, [system]))(system, coded.code);
      return withDisplay(coded, display);
    }
  }
  const from = coded.system === undefined ? '' : ` of ${shown(coded.system)}`;
  return no(`${shown(coded.code)}${from} is not in the value set`);
}

const no = (message: string): Verdict => ({ result: false, message });

function withDisplay(coded: Coded, display: string | undefined): Verdict {
  if (display === undefined) return { result: true };
  const isRight = coded.display === undefined || coded.display.toLowerCase() === display.toLowerCase();
  return isRight ? { result: true, display } : { result: false, message: 'the display is another', display };
}

const shown = (text: string): string => text.slice(0, 200);
