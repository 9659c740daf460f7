// $lastn: https://hl7.org/fhir/R4/observation-operation-lastn.html
import { searchsetPieces } from '../../fhir/bundles.ts';
import { badRequest, Refusal } from '../../kernel/outcomes.ts';
import type { Exchange, FhirAnswer, FhirParts, Interaction } from '../interaction.ts';
import { refuseHiddenConditions } from '../search-access.ts';
import { textOrPieces } from '../stream-body.ts';
import { anyInputOf } from './parameters.ts';

const maximumMax = 1000;

const lastn = {
  name: 'lastn',
  mayWait: true,
  path: '/:type/$lastn',
  access: 's',
  answer: answerLastN,
} as const;

export const lastnInteractions: readonly Interaction[] = [
  {
    ...lastn,
    method: 'GET',
    takes: 'nothing',
    capability: {
      level: 'type',
      codes: [],
      operation: {
        name: 'lastn',
        definition: 'http://hl7.org/fhir/OperationDefinition/Observation-lastn',
        types: ['Observation'],
      },
    },
  },
  { ...lastn, method: 'POST', takes: 'resource' },
];

async function answerLastN(parts: FhirParts, exchange: Exchange): Promise<FhirAnswer> {
  const { actor, base, type } = exchange;
  if (type !== 'Observation') throw new Refusal('not-found', 'there is $lastn of Observation');
  const input = anyInputOf(exchange);
  const max = maxOf(input.get('max') ?? '1');
  const query = queryOf(input);
  refuseHiddenConditions(parts, actor, { type, query, lenient: false });
  const matches = await parts.repository.as(actor).lastN(query, max);
  const self = `${base}/${type}/$lastn?max=${max}&${query}`;
  const total = matches.length;
  const pieces = searchsetPieces({ base, self, next: undefined, total, matches, included: [] });
  return { status: 200, byEntry: true, body: textOrPieces(pieces) };
}

/** Search parameters alone: how many come back, and in which order, is what the operation is about. */
function queryOf(input: URLSearchParams): string {
  const criteria = [...input].filter(([name]) => name !== 'max');
  const names = criteria.map(([name]) => name.split(/[:.]/)[0] ?? '');
  if (names.some((name) => resultParameters.has(name))) {
    throw badRequest('$lastn takes max and search parameters that choose observations');
  }
  if (!names.some((name) => name === 'patient' || name === 'subject')) {
    throw badRequest('$lastn needs patient or subject');
  }
  if (!names.some((name) => name.startsWith('category') || name.startsWith('code'))) {
    throw badRequest('$lastn needs category or code');
  }
  return new URLSearchParams(criteria).toString();
}

const resultParameters = new Set(
  '_sort _count _total _summary _elements _include _revinclude _page'.split(' '),
);

function maxOf(written: string): number {
  if (!/^[1-9]\d{0,8}$/.test(written)) throw badRequest('max is a whole number, 1 or more', 'max');
  return Math.min(Number(written), maximumMax);
}
