// $validate-code of ValueSet and CodeSystem: https://hl7.org/fhir/R4/valueset-operation-validate-code.html and
// codesystem-operation-validate-code.html
import { badRequest, Refusal } from '../../kernel/outcomes.ts';
import {
  validateInSystem,
  validateInValueSet,
  type Coded,
  type Verdict,
} from '../../terminology/validate-code.ts';
import type { Exchange, FhirAnswer, FhirParts, Interaction } from '../interaction.ts';
import {
  canonicalOf,
  codedIn,
  terminologyInput,
  terminologyRows,
  type TerminologyInput,
} from './terminology-input.ts';
import { askedValueSet } from './value-sets.ts';

const operations = (['ValueSet', 'CodeSystem'] as const).map((type) => ({
  name: 'validate-code',
  definition: `http://hl7.org/fhir/OperationDefinition/${type}-validate-code`,
  types: [type],
}));

export const validateCodeInteractions: readonly Interaction[] = [
  ...terminologyRows({ name: 'validate-code', path: '/:type/:id', answer: answerValidate, operations }),
  ...terminologyRows({ name: 'validate-code', path: '/:type', answer: answerValidate }),
];

const inBoth = ['url', 'code', 'coding', 'codeableConcept', 'display'];
const names = {
  ValueSet: [...inBoth, 'valueSet', 'valueSetVersion', 'system', 'systemVersion'],
  CodeSystem: [...inBoth, 'version'],
} as const;

type Validate = (coded: Coded) => Promise<Verdict>;

async function answerValidate(parts: FhirParts, exchange: Exchange): Promise<FhirAnswer> {
  const { type } = exchange;
  if (type !== 'ValueSet' && type !== 'CodeSystem') {
    throw new Refusal('not-found', 'there is $validate-code of a ValueSet and of a CodeSystem');
  }
  const input = terminologyInput(exchange, names[type]);
  const validate = await (type === 'ValueSet' ? inValueSet : inSystem)(parts, exchange, input);
  return { status: 200, body: verdictText(await firstRight(codedIn(input), validate)) };
}

async function inValueSet(parts: FhirParts, exchange: Exchange, input: TerminologyInput): Promise<Validate> {
  const content = await askedValueSet(parts, exchange, input);
  return (coded) => validateInValueSet(parts.repository.terminology, content, coded);
}

async function inSystem(
  { repository: { terminology } }: FhirParts,
  { id }: Exchange,
  input: TerminologyInput,
): Promise<Validate> {
  const url = input.text('url');
  const named = url === undefined ? undefined : canonicalOf(url, input.text('version'));
  const asked = id === '' ? named : `CodeSystem/${id}`;
  if (id !== '' && (await terminology.codeSystem(asked ?? '')) === undefined) {
    throw new Refusal('not-found', 'this code system is not known here');
  }
  return (coded) => {
    const system = asked ?? coded.system;
    if (system === undefined) throw badRequest('the url of a CodeSystem is needed', 'url');
    return validateInSystem(terminology, system, coded);
  };
}

/** A concept is in where one of its codings is. */
async function firstRight(codings: readonly Coded[], validate: Validate): Promise<Verdict> {
  let verdict: Verdict = { result: false };
  for (const coded of codings) {
    verdict = await validate(coded);
    if (verdict.result) return verdict;
  }
  return verdict;
}

function verdictText({ result, message, display }: Verdict): string {
  const parameter = [
    { name: 'result', valueBoolean: result },
    ...(message === undefined ? [] : [{ name: 'message', valueString: message }]),
    ...(display === undefined ? [] : [{ name: 'display', valueString: display }]),
  ];
  return JSON.stringify({ resourceType: 'Parameters', parameter });
}
