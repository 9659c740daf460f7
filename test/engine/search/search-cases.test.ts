// Every parameter type with its modifiers and prefixes: the cases of test/cases/search, answered from index entries alone.
import { describe, expect, test } from '@jest/globals';
import { Refusal } from '../../../engine/kernel/outcomes.ts';
import { loadSearchIndex } from '../../../engine/search/load-index.ts';
import { searchCaseFiles, type SearchCase, type SearchCaseFile } from '../../support/search-cases.ts';
import { findInMemory } from '../../support/search-in-memory.ts';

describe.each(searchCaseFiles())('search by $name', (file) => {
  const index = loadSearchIndex({ base: file.base });
  const options = { lenient: false, base: file.base, defaultCount: 20, maximumCount: 100 };

  test.each(file.cases)('$query', (one) => {
    expect(outcome(one, file)).toEqual(one.refused ?? [...(one.expect ?? [])].sort());
  });

  function outcome({ query }: SearchCase, { resources }: SearchCaseFile): unknown {
    const [type = '', search = ''] = query.split(/\?(.*)/s);
    try {
      const { plan } = index.request(type, search, options);
      return [...findInMemory(index, resources, type, plan.where)].sort();
    } catch (error) {
      if (error instanceof Refusal) return error.code;
      throw error;
    }
  }
});
