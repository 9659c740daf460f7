// `kiungo explain 'Observation?code=…'`: what a search asks, what SQLite makes of it, what it looked at and how long it took.
import { badRequest } from '../../kernel/outcomes.ts';
import { explainPlan } from '../../search/explain.ts';
import { explainSearch, type ExplainedSearch } from '../../storage/sqlite/explain-search.ts';
import { storedSearchIndex, storeFile } from '../stored.ts';
import type { Command, CommandParts } from './command.ts';

export const explainCommand: Command = {
  usage: `explain '<type>?<query>'`,
  sentence: 'Shows the plan of a search, its SQL, the rows that it looks at and the time that it takes.',
  run: async (parts, [search = '']) => {
    const { config, clock, say } = parts;
    const [, type, query = ''] = /^\/?([A-Z][A-Za-z]+)(?:\?(.*))?$/.exec(search) ?? [];
    if (type === undefined) {
      throw badRequest(`a search is expected, such as 'Observation?code=http://loinc.org|718-7'`);
    }
    const limits = {
      lenient: false,
      base: `${config.publicUrl ?? ''}/fhir/R4`,
      defaultCount: 20,
      maximumCount: 1_000,
    };
    const { plan } = (await storedSearchIndex(config, clock)).request(type, query, limits);
    for (const line of explainPlan(plan).split('\n')) say(line);
    sayExplained(parts, explainSearch(storeFile(config), plan));
    return 0;
  },
};

function sayExplained({ say }: CommandParts, explained: ExplainedSearch): void {
  for (const { sql, values, steps, rows, ms } of explained.statements) {
    say('');
    say(sql);
    if (values.length > 0) say(`  with ${values.map(String).join(', ')}`);
    for (const step of steps) say(`  ${step}`);
    say(`  ${rows} rows, ${ms.toFixed(3)} ms`);
  }
  const { matches, total, candidates, ms } = explained;
  say('');
  const ofTotal = total === undefined ? '' : ` of ${total}`;
  say(`${matches} matches${ofTotal}; ${candidates} candidates looked at; ${ms.toFixed(3)} ms in SQLite`);
}
