// The cases of test/cases/search once more, asked over HTTP of a server with the store that it comes with.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadSearchIndex } from '../../../engine/search/load-index.ts';
import { searchCaseFiles, type SearchCaseFile } from '../../support/search-cases.ts';
import { startServer, type RunningServer } from './running-server.ts';

/** The cases say which address is the server's own. */
const publicUrl = 'http://localhost';

/** As they are, whatever they refer to. */
async function store(server: RunningServer, file: SearchCaseFile): Promise<void> {
  const index = loadSearchIndex({ base: file.base });
  await server.store.transact(async ({ resources }) => {
    for (const resource of file.resources) {
      const { resourceType: type, id } = resource;
      const body = JSON.stringify(resource);
      const version = { type, id, version: 1, lastUpdated: server.clock.now(), method: 'PUT', body } as const;
      await resources.write(version, index.entries(resource), []);
    }
  });
}

interface Found {
  readonly link: readonly { readonly relation: string }[];
  readonly entry?: readonly { readonly resource: { readonly id: string } }[];
}

describe.each(searchCaseFiles())('search by $name over HTTP', (file) => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer({ publicUrl });
    await store(server, file);
  });
  afterAll(() => server.stop());

  test.each(file.cases)('$query', async ({ query, expect: ids, refused }) => {
    const response = await server.ask(query);
    if (refused !== undefined) {
      expect(response.status).toBe(400);
      expect(await response.text()).toContain(`"code":"${refused}"`);
      return;
    }
    const { entry = [] } = (await response.json()) as Found;
    expect(entry.map(({ resource }) => resource.id).sort()).toEqual([...(ids ?? [])].sort());
  });
});
