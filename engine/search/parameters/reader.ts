// What the readers of the parameter types have in common: from one value of a search URL to a condition.
import { badRequest, type Refusal } from '../../kernel/outcomes.ts';
import type { Answers } from '../answers.ts';
import { anyOf } from '../condition.ts';
import type { CompiledParameter, CompiledSet } from '../definitions/compiled.ts';
import type { Condition } from '../plan.ts';

/** What the meaning of a value depends on beside the parameter. */
export interface ReadingOptions {
  /** The public FHIR base without a slash at its end; '' when there is none. */
  readonly base: string;
  readonly zoneOffsetMinutes: number;
  /** All resource types: what a reference parameter without targets may point at. */
  readonly types: readonly string[];
  /** Looked into for value sets and hierarchies; undefined where nobody can answer. */
  readonly answers: Answers | undefined;
  find(type: string, code: string): CompiledParameter | undefined;
}

/** Throws Refusal `bad-request` where a search must be decided without looking into the store. */
export function answersFor(parameter: Pick<CompiledParameter, 'code'>, options: ReadingOptions): Answers {
  if (options.answers !== undefined) return options.answers;
  throw badRequest(
    `${parameter.code} asks for a value set or a hierarchy, which cannot be looked up here`,
    parameter.code,
  );
}

/** Reads one value (escapes still in it). Throws Refusal `bad-request` when it cannot be read. */
export type ValueReader = (parameter: CompiledParameter, value: string, options: ReadingOptions) => Condition;

/** One of the parameter's sets satisfies. */
export const inAnySet = (
  parameter: CompiledParameter,
  condition: (set: CompiledSet) => Condition,
): Condition => anyOf(parameter.sets.map(condition));

/** The value is not repeated: it may be a patient's. */
export const unreadable = (parameter: Pick<CompiledParameter, 'code'>, expected: string): Refusal =>
  badRequest(`the value of ${parameter.code} cannot be read: expected ${expected}`, parameter.code);
