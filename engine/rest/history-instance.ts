// GET [base]/[type]/[id]/_history: https://hl7.org/fhir/R4/http.html#history
import { historyText } from '../fhir/bundles.ts';
import { badRequest, Refusal } from '../kernel/outcomes.ts';
import type { Interaction } from './interaction.ts';

const defaultCount = 20;
const maximumCount = 1000;

export const historyInstanceInteraction: Interaction = {
  name: 'history-instance',
  method: 'GET',
  path: '/:type/:id/_history',
  access: 'r',
  takes: 'nothing',
  capability: { level: 'type', codes: ['history-instance'] },
  answer: async ({ repository }, { actor, type, id, query, base }) => {
    const { count, after } = pageOf(query);
    const page = await repository.as(actor).history(type, id, count, after);
    const self = `${base}/${type}/${id}/_history?_count=${count}`;
    const next = page.next === undefined ? undefined : `${self}&_page=${encodeURIComponent(page.next)}`;
    const { total, versions } = page;
    return { status: 200, body: historyText({ base, self, next, total, versions }) };
  },
};

/** Throws Refusal `unknown-parameter` for what is not offered, `bad-request` for a count that is none. */
function pageOf(query: string): { readonly count: number; readonly after: string | undefined } {
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys()) {
    if (name === '_count' || name === '_page') continue;
    throw new Refusal('unknown-parameter', 'a history takes _count and _page');
  }
  const written = parameters.get('_count') ?? String(defaultCount);
  if (!/^\d{1,9}$/.test(written)) throw badRequest('_count is a whole number', '_count');
  const count = Math.min(Math.max(1, Number(written)), maximumCount);
  return { count, after: parameters.get('_page') ?? undefined };
}
