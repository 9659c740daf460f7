// What goes between the pool and its threads: plain values, copied.
import type { FailureCode } from '../../kernel/failures.ts';
import type { Plan, SystemPlan } from '../../search/plan.ts';
import type { SearchPage } from '../resource-store.ts';
import type { ConnectionOptions } from './connection.ts';

export interface WorkerStart {
  readonly file: string;
  readonly connection: ConnectionOptions;
  readonly limitMs: number;
}

export type SearchQuestion = { readonly plan: Plan } | { readonly system: SystemPlan };
export type SearchTask = SearchQuestion & { readonly id: number };

export interface SearchError {
  /** undefined: a defect. */
  readonly code: FailureCode | undefined;
  readonly message: string;
  readonly expression: string | undefined;
}

export type SearchAnswer = { readonly id: number } & (
  { readonly page: SearchPage } | { readonly error: SearchError }
);
