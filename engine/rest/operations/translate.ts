// ConceptMap/$translate: https://hl7.org/fhir/R4/conceptmap-operation-translate.html
import { parseResource } from '../../fhir/exact-json.ts';
import { badRequest, Refusal } from '../../kernel/outcomes.ts';
import type { ReadsResources } from '../../repository/repository.ts';
import { isTranslated, translate, type Match, type TranslateWish } from '../../terminology/translate.ts';
import type { Coded } from '../../terminology/validate-code.ts';
import type { Exchange, FhirAnswer, FhirParts, Interaction } from '../interaction.ts';
import {
  canonicalOf,
  codedIn,
  terminologyInput,
  terminologyRows,
  type TerminologyInput,
} from './terminology-input.ts';

const operation = {
  name: 'translate',
  definition: 'http://hl7.org/fhir/OperationDefinition/ConceptMap-translate',
  types: ['ConceptMap'],
};

export const translateInteractions: readonly Interaction[] = [
  ...terminologyRows({
    name: 'translate',
    path: '/:type/:id',
    answer: answerTranslate,
    operations: [operation],
  }),
  ...terminologyRows({ name: 'translate', path: '/:type', answer: answerTranslate }),
];

const names = [
  'url', 'conceptMap', 'conceptMapVersion', 'code', 'system', 'version', 'source', 'coding', 'codeableConcept', 'target', 'targetsystem',
  'reverse',
]; // prettier-ignore

/** Maps that are looked into where none is named. */
const mostMaps = 100;

async function answerTranslate({ repository }: FhirParts, exchange: Exchange): Promise<FhirAnswer> {
  if (exchange.type !== 'ConceptMap') throw new Refusal('not-found', 'there is $translate of a ConceptMap');
  const input = terminologyInput(exchange, names);
  const reads = repository.as(exchange.actor);
  const wish = { reverse: reverseOf(input), targetSystem: input.text('targetsystem') };
  const matches: Match[] = [];
  for (const coded of codedIn(input)) {
    for (const map of await askedMaps(reads, exchange, input, coded, wish)) {
      matches.push(...(await translate(map, coded, wish, (canonical) => newest(reads, canonical))));
    }
  }
  return { status: 200, body: answerText(matches) };
}

function reverseOf(input: TerminologyInput): boolean {
  const written = input.text('reverse') ?? 'false';
  if (written !== 'true' && written !== 'false') throw badRequest('reverse is true or false', 'reverse');
  return written === 'true';
}

/** That of the url or the one that is sent or named; else all that are in use for the system of the code. */
async function askedMaps(
  reads: ReadsResources,
  { id }: Exchange,
  input: TerminologyInput,
  { system }: Coded,
  { reverse }: TranslateWish,
): Promise<readonly object[]> {
  if (id !== '') return [await ofId(reads, id)];
  const sent = input.resource('conceptMap', 'ConceptMap');
  if (sent !== undefined) return [sent];
  const url = input.text('url');
  if (url !== undefined) return [await named(reads, canonicalOf(url, input.text('conceptMapVersion')))];
  if (system === undefined) {
    throw badRequest('the system of the code, or the url of a map is needed', 'system');
  }
  const [source, target] = [input.text('source'), input.text('target')];
  const found = await stored(reads, {
    status: 'active',
    [reverse ? 'target-system' : 'source-system']: system,
    _count: String(mostMaps),
  });
  return found.filter((map) => isBetween(map, source, target));
}

/** Throws Refusal `not-found` or `gone`. */
async function ofId(reads: ReadsResources, id: string): Promise<object> {
  const [map] = await reads.conceptMaps(new URLSearchParams({ _id: id }).toString());
  return map ?? parseResource((await reads.read('ConceptMap', id)).body ?? 'null');
}

async function named(reads: ReadsResources, canonical: string): Promise<object> {
  const map = await newest(reads, canonical);
  if (map === undefined) throw new Refusal('not-found', 'this concept map is not known here');
  return map;
}

async function newest(reads: ReadsResources, canonical: string): Promise<object | undefined> {
  const [url = '', version] = canonical.split('|');
  const asked = { url, ...(version === undefined ? {} : { version }), _sort: '-_lastUpdated', _count: '1' };
  return (await stored(reads, asked))[0];
}

function stored(reads: ReadsResources, asked: Readonly<Record<string, string>>): Promise<readonly object[]> {
  const query = Object.entries(asked).map(([name, value]) => {
    const exact = name.startsWith('_') ? value : value.replaceAll(/[\\,|$]/g, String.raw`\$&`);
    return [name, exact];
  });
  return reads.conceptMaps(new URLSearchParams(query).toString());
}

/** Whether the map is between these value sets, as far as they are asked for. */
function isBetween(map: object, source: string | undefined, target: string | undefined): boolean {
  const {
    sourceUri,
    sourceCanonical = sourceUri,
    targetUri,
    targetCanonical = targetUri,
  } = map as Readonly<Record<string, unknown>>;
  return (
    (source === undefined || source === sourceCanonical) &&
    (target === undefined || target === targetCanonical)
  );
}

function answerText(matches: readonly Match[]): string {
  const result = matches.some(isTranslated);
  const parameter = [
    { name: 'result', valueBoolean: result },
    ...(result ? [] : [{ name: 'message', valueString: 'no map has another code for this one' }]),
    ...matches.map(({ equivalence, concept, source }) => ({
      name: 'match',
      part: [
        { name: 'equivalence', valueCode: equivalence },
        { name: 'concept', valueCoding: concept },
        ...(source === '' ? [] : [{ name: 'source', valueUri: source }]),
      ],
    })),
  ];
  return JSON.stringify({ resourceType: 'Parameters', parameter });
}
