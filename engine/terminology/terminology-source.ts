// Where code systems and value sets come from. Promises: the same canonical gives the same content within one question.
import type { CodeSystemContent, ValueSetContent } from './content.ts';

export interface TerminologySource {
  /** By canonical URL, with a version after `|` where one is asked for. undefined when it is not known here. */
  codeSystem(canonical: string): Promise<CodeSystemContent | undefined>;
  valueSet(canonical: string): Promise<ValueSetContent | undefined>;
}
