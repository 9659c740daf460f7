// CodeSystem/$lookup and CodeSystem/$subsumes: https://hl7.org/fhir/R4/codesystem-operation-lookup.html and
// codesystem-operation-subsumes.html
import { badRequest, Refusal } from '../../kernel/outcomes.ts';
import { treeOf } from '../../terminology/concept-tree.ts';
import type { CodeSystemContent, Concept } from '../../terminology/content.ts';
import type { Coded } from '../../terminology/validate-code.ts';
import type { Exchange, FhirAnswer, FhirParts, Interaction } from '../interaction.ts';
import {
  canonicalOf,
  codedIn,
  terminologyInput,
  terminologyRows,
  type TerminologyInput,
} from './terminology-input.ts';

const operation = (name: string) => ({
  name,
  definition: `http://hl7.org/fhir/OperationDefinition/CodeSystem-${name}`,
  types: ['CodeSystem'],
});

export const codeSystemInteractions: readonly Interaction[] = [
  ...terminologyRows({
    name: 'lookup',
    path: '/:type',
    answer: answerLookup,
    operations: [operation('lookup')],
  }),
  ...terminologyRows({
    ...{ name: 'subsumes', path: '/:type', answer: answerSubsumes },
    operations: [operation('subsumes')],
  }),
  ...terminologyRows({ name: 'subsumes', path: '/:type/:id', answer: answerSubsumes }),
];

const ofSystem = ({ type }: Exchange): void => {
  if (type !== 'CodeSystem') throw new Refusal('not-found', 'this is asked of a CodeSystem');
};

async function contentOf(
  { repository: { terminology } }: FhirParts,
  canonical: string | undefined,
): Promise<CodeSystemContent> {
  if (canonical === undefined) throw badRequest('the system of the code is needed', 'system');
  const content = await terminology.codeSystem(canonical);
  if (content === undefined) throw new Refusal('not-found', 'this code system is not known here');
  return content;
}

async function answerLookup(parts: FhirParts, exchange: Exchange): Promise<FhirAnswer> {
  ofSystem(exchange);
  const input = terminologyInput(exchange, ['code', 'system', 'version', 'coding']);
  const [coded] = codedIn(input);
  const system = coded?.system;
  const content = await contentOf(parts, system && canonicalOf(system, input.text('version')));
  const concept = treeOf(content).concept(coded?.code ?? '');
  if (concept === undefined) throw new Refusal('not-found', 'this is not a code of the system');
  const parameter = [
    { name: 'name', valueString: content.name ?? content.url },
    ...(content.version === undefined ? [] : [{ name: 'version', valueString: content.version }]),
    { name: 'display', valueString: concept.display ?? concept.code },
    ...propertiesOf(content, concept),
  ];
  return { status: 200, body: JSON.stringify({ resourceType: 'Parameters', parameter }) };
}

function propertiesOf(
  content: CodeSystemContent,
  { code, parents = [], properties = {} }: Concept,
): readonly object[] {
  const codes = (name: string, list: readonly string[]): readonly object[] =>
    list.map((one) => property(name, { valueCode: one }));
  return [
    ...codes('parent', parents),
    ...codes('child', treeOf(content).childrenOf(code)),
    ...Object.entries(properties)
      .filter(([name]) => name !== 'parent' && name !== 'child')
      .flatMap(([name, values]) => values.map((one) => property(name, { valueString: one }))),
  ];
}

const property = (code: string, value: object): object => ({
  name: 'property',
  part: [
    { name: 'code', valueCode: code },
    { name: 'value', ...value },
  ],
});

async function answerSubsumes(parts: FhirParts, exchange: Exchange): Promise<FhirAnswer> {
  ofSystem(exchange);
  const names = ['codeA', 'codeB', 'codingA', 'codingB', 'system', 'version'];
  const input = terminologyInput(exchange, names);
  const [a, b] = [sideOf(input, 'A'), sideOf(input, 'B')];
  const system = input.text('system') ?? a.system ?? b.system;
  if ([a, b].some((side) => side.system !== undefined && side.system !== system)) {
    throw badRequest('both codes are of one system', 'system');
  }
  const named = system && canonicalOf(system, input.text('version'));
  const tree = treeOf(await contentOf(parts, exchange.id === '' ? named : `CodeSystem/${exchange.id}`));
  for (const { code } of [a, b]) {
    if (tree.concept(code) === undefined) throw badRequest('both are codes of the system', 'code');
  }
  const parameter = [{ name: 'outcome', valueCode: relation(tree, a.code, b.code) }];
  return { status: 200, body: JSON.stringify({ resourceType: 'Parameters', parameter }) };
}

function sideOf(input: TerminologyInput, side: 'A' | 'B'): Coded {
  const coding = input.coding(`coding${side}`);
  if (coding !== undefined) return coding;
  const code = input.text(`code${side}`);
  if (code === undefined) throw badRequest(`code${side} or coding${side} is needed`, `code${side}`);
  return { code, system: undefined, display: undefined };
}

/** https://hl7.org/fhir/R4/valueset-concept-subsumption-outcome.html */
function relation(tree: ReturnType<typeof treeOf>, a: string, b: string): string {
  if (a === b) return 'equivalent';
  if (tree.above(b).has(a)) return 'subsumes';
  return tree.above(a).has(b) ? 'subsumed-by' : 'not-subsumed';
}
