// $everything: https://hl7.org/fhir/R4/patient-operation-everything.html and encounter-operation-everything.html
import { allows } from '../../auth/scopes.ts';
import { searchsetStream } from '../../fhir/bundles.ts';
import { instantRange } from '../../fhir/instants.ts';
import { badRequest, Refusal } from '../../kernel/outcomes.ts';
import type { Everything } from '../../repository/repository.ts';
import type { Exchange, FhirAnswer, FhirParts, Interaction } from '../interaction.ts';
import { textOrStream } from '../stream-body.ts';
import { inputOf } from './parameters.ts';

const maximumCount = 1000;
const names = ['start', 'end', '_since', '_type', '_count', '_page'] as const;

const definition = (type: string): string => `http://hl7.org/fhir/OperationDefinition/${type}-everything`;

const instance = { name: 'everything', mayWait: true, path: '/:type/:id/$everything', access: 'r' } as const;
const ofType = { name: 'everything', mayWait: true, path: '/:type/$everything', access: 'r' } as const;

export const everythingInteractions: readonly Interaction[] = [
  {
    ...instance,
    method: 'GET',
    takes: 'nothing',
    capability: {
      level: 'type',
      codes: [],
      operation: { name: 'everything', definition: definition('Patient'), types: ['Patient'] },
    },
    answer: answerEverything,
  },
  {
    ...instance,
    method: 'POST',
    takes: 'resource',
    capability: {
      level: 'type',
      codes: [],
      operation: { name: 'everything', definition: definition('Encounter'), types: ['Encounter'] },
    },
    answer: answerEverything,
  },
  { ...ofType, method: 'GET', takes: 'nothing', answer: answerEverything },
  { ...ofType, method: 'POST', takes: 'resource', answer: answerEverything },
];

async function answerEverything({ repository, index }: FhirParts, exchange: Exchange): Promise<FhirAnswer> {
  const { actor, base } = exchange;
  const input = inputOf(exchange, names);
  const asked = everythingOf(exchange, input, (name) => index.isType(name));
  const self = selfLink(exchange, input);
  const count = countOf(input.get('_count'));
  const reads = repository.as(actor);
  if (count === undefined) {
    const pieces = searchsetStream(base, { self, next: undefined }, reads.everything(asked));
    return { status: 200, byEntry: true, body: await textOrStream(pieces) };
  }
  const page = await reads.everythingPage(asked, count, input.get('_page') ?? undefined);
  const next = page.next === undefined ? undefined : `${self}&_page=${encodeURIComponent(page.next)}`;
  return {
    status: 200,
    byEntry: true,
    body: await textOrStream(searchsetStream(base, { self, next }, page.items)),
  };
}

function everythingOf(
  { type, id, actor }: Exchange,
  input: URLSearchParams,
  isType: (name: string) => boolean,
): Everything {
  if (type !== 'Patient' && (type !== 'Encounter' || id === '')) {
    throw new Refusal('not-found', 'there is $everything of a Patient, of an Encounter, and of all Patients');
  }
  const since = input.get('_since');
  return {
    type,
    id: id === '' ? undefined : id,
    start: dateOf(input, 'start'),
    end: dateOf(input, 'end'),
    since: since === null ? undefined : rangeOf(since, '_since').low,
    types: typesOf(input, isType),
    mayRead: (name) => allows(actor.scopes, name, 'r'),
  };
}

function dateOf(input: URLSearchParams, name: 'start' | 'end'): string | undefined {
  const written = input.get(name);
  if (written === null) return undefined;
  rangeOf(written, name);
  return encodeURIComponent(written.replace(' ', '+'));
}

/** A `+` before a time zone that was not percent-encoded arrives as a space. */
function rangeOf(written: string, name: string): { readonly low: number } {
  const range = instantRange(written.replace(' ', '+'));
  if (!range) throw badRequest(`${name} is a FHIR date, dateTime or instant`, name);
  return range;
}

function typesOf(input: URLSearchParams, isType: (name: string) => boolean): readonly string[] | undefined {
  const types = input.getAll('_type').flatMap((value) => value.split(','));
  if (!types.every(isType)) throw badRequest('_type names resource types of R4', '_type');
  return types.length === 0 ? undefined : types;
}

function countOf(written: string | null): number | undefined {
  if (written === null) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(written)) throw badRequest('_count is a whole number, 1 or more', '_count');
  return Math.min(Number(written), maximumCount);
}

function selfLink({ base, type, id }: Exchange, input: URLSearchParams): string {
  const kept = new URLSearchParams(input);
  kept.delete('_page');
  const query = kept.toString();
  return `${base}/${type}${id === '' ? '' : `/${id}`}/$everything${query === '' ? '' : '?'}${query}`;
}
