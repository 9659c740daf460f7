// Search cases as data: stored resources, queries and the ids that they must find. Read here, run by whoever can search.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import type { FailureCode } from '../../engine/kernel/failures.ts';
import type { FhirResource } from '../../engine/fhir/resource.ts';

export interface SearchCase {
  /** `Patient?birthdate=ge2010` */
  readonly query: string;
  /** Ids found, in any order. */
  readonly expect?: readonly string[];
  /** Instead: the code of the refusal. */
  readonly refused?: FailureCode;
  readonly note?: string;
}

export interface SearchCaseFile {
  /** File name without its ending. */
  readonly name: string;
  /** What the specification says. */
  readonly rules: readonly string[];
  readonly source: string;
  /** The FHIR base under which absolute references are the server's own. */
  readonly base: string;
  readonly resources: readonly (FhirResource & { readonly id: string })[];
  readonly cases: readonly SearchCase[];
}

const folder = resolve('test/cases/search');

/** All files of test/cases/search. */
export const searchCaseFiles = (): readonly SearchCaseFile[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => ({
      base: 'http://localhost/fhir/R4',
      ...(parse(readFileSync(join(folder, name), 'utf8')) as Omit<SearchCaseFile, 'name' | 'base'>),
      name: name.replace('.yaml', ''),
    }));
