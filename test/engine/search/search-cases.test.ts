// Every parameter type with its modifiers and prefixes: the cases of test/cases/search, answered from index entries alone.
import { describe, expect, test } from '@jest/globals';
import { Refusal } from '../../../engine/kernel/outcomes.ts';
import { understand } from '../../../engine/repository/answer-questions.ts';
import { loadSearchIndex } from '../../../engine/search/load-index.ts';
import { searchCaseFiles, type SearchCase, type SearchCaseFile } from '../../support/search-cases.ts';
import { findInMemory, readingOver } from '../../support/search-in-memory.ts';

describe.each(searchCaseFiles())('search by $name', (file) => {
  const index = loadSearchIndex({ base: file.base });
  const options = { lenient: false, base: file.base, defaultCount: 20, maximumCount: 100 };

  test.each(file.cases)('$query', async (one) => {
    expect(await outcome(one, file)).toEqual(one.refused ?? [...(one.expect ?? [])].sort());
  });

  async function outcome({ query }: SearchCase, { resources }: SearchCaseFile): Promise<unknown> {
    const [type = '', search = ''] = query.split(/\?(.*)/s);
    try {
      const reading = readingOver(index, resources, file.base);
      const { plan } = await understand(reading, (answers) =>
        index.request(type, search, { ...options, answers }),
      );
      return [...findInMemory(index, resources, type, plan.where)].sort();
    } catch (error) {
      if (error instanceof Refusal) return error.code;
      throw error;
    }
  }
});
