// ValueSet/$expand: https://hl7.org/fhir/R4/valueset-operation-expand.html
import { writeJson } from '../../fhir/exact-json.ts';
import { badRequest, Refusal } from '../../kernel/outcomes.ts';
import { valueSetContent, type ValueSetContent } from '../../terminology/content.ts';
import type { Exchange, FhirAnswer, FhirParts, Interaction } from '../interaction.ts';
import {
  canonicalOf,
  terminologyInput,
  terminologyRows,
  type TerminologyInput,
} from './terminology-input.ts';

const operation = {
  name: 'expand',
  definition: 'http://hl7.org/fhir/OperationDefinition/ValueSet-expand',
  types: ['ValueSet'],
};

export const expandInteractions: readonly Interaction[] = [
  ...terminologyRows({ name: 'expand', path: '/:type/:id', answer: answerExpand, operations: [operation] }),
  ...terminologyRows({ name: 'expand', path: '/:type', answer: answerExpand }),
];

const names = ['url', 'valueSet', 'valueSetVersion', 'filter', 'offset', 'count'];

async function answerExpand(parts: FhirParts, exchange: Exchange): Promise<FhirAnswer> {
  if (exchange.type !== 'ValueSet') throw new Refusal('not-found', 'there is $expand of a ValueSet');
  const input = terminologyInput(exchange, names);
  const content = await askedValueSet(parts, exchange, input);
  const expanded = await parts.repository.expandValueSet(content, {
    filter: input.text('filter'),
    offset: input.whole('offset') ?? 0,
    count: input.whole('count'),
  });
  return { status: 200, body: writeJson(expanded) };
}

/** That of the url, else the one that is sent, else by its canonical. Throws Refusal `not-found`, or `bad-request` where none is named. */
export async function askedValueSet(
  { repository: { terminology } }: FhirParts,
  { id }: Exchange,
  input: TerminologyInput,
): Promise<ValueSetContent> {
  const sent = id === '' ? input.resource('valueSet', 'ValueSet') : undefined;
  if (sent !== undefined) return valueSetContent(sent);
  const url = input.text('url');
  if (id === '' && url === undefined) throw badRequest('the url of a ValueSet is needed', 'url');
  const canonical = id === '' ? canonicalOf(url ?? '', input.text('valueSetVersion')) : `ValueSet/${id}`;
  const content = await terminology.valueSet(canonical);
  if (content === undefined) throw new Refusal('not-found', 'this value set is not known here');
  return content;
}
