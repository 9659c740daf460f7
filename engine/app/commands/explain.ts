// `kiungo explain 'Observation?code=…'`: what a search asks, what SQLite makes of it, what it looked at and how long it took.
import { badRequest } from '../../kernel/outcomes.ts';
import { understand, type Asking } from '../../repository/answer-questions.ts';
import { pageLimits } from '../../repository/search.ts';
import { systemRequest, typesIn } from '../../repository/search-types.ts';
import { explainPlan } from '../../search/explain.ts';
import { explainSearch, type ExplainedSearch } from '../../storage/sqlite/explain-search.ts';
import type { Plan, SystemPlan } from '../../search/plan.ts';
import type { SearchQuestion } from '../../storage/sqlite/search-task.ts';
import { publicUrlOf, storedSearchIndex, storeFile } from '../stored.ts';
import type { Command, CommandParts } from './command.ts';

export const explainCommand: Command = {
  usage: `explain '[<type>]?<query>'`,
  sentence: 'Shows the plan of a search, its SQL, the rows that it looks at and the time that it takes.',
  run: async (parts, [search = '']) => {
    const { config, clock, say } = parts;
    const [, type, query = ''] = /^\/?([A-Z][A-Za-z]+)?(?:\?(.*))?$/.exec(search) ?? [];
    if (search === '' || (type === undefined && !search.includes('?'))) {
      throw badRequest(`a search is expected, such as 'Observation?code=http://loinc.org|718-7'`);
    }
    const index = await storedSearchIndex(config, clock);
    const base = (): string => `${publicUrlOf(config) ?? ''}/fhir/R4`;
    const { question, explained } = await explainSearch(storeFile(config), (resources) => {
      const reading = { parts: { index, base }, resources };
      return type === undefined ? systemPlan(reading, query) : typePlan(reading, type, query);
    });
    for (const plan of 'plan' in question ? [question.plan] : plansOf(question.system)) {
      for (const line of explainPlan(plan).split('\n')) say(line);
    }
    sayExplained(parts, explained);
    return 0;
  },
};

async function typePlan(reading: Asking, type: string, query: string): Promise<SearchQuestion> {
  const { index, base } = reading.parts;
  const limits = pageLimits(base(), {});
  const { plan } = await understand(reading, (answers) => index.request(type, query, { ...limits, answers }));
  return { plan };
}

/** One a type: each gives its next. */
const plansOf = ({ parts, ...page }: SystemPlan): readonly Plan[] =>
  parts.map((part) => ({ ...part, ...page }));

/** Over the types that `_type` names, or over all. */
async function systemPlan(reading: Asking, query: string): Promise<SearchQuestion> {
  const { types, query: rest } = typesIn(query);
  const { plan } = await systemRequest(reading, types.length === 0 ? reading.parts.index.types : types, rest);
  return { system: plan };
}

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
