// Every code that a user can meet, found where it is given: in the syntax trees of the sources and in the maps.
import { globSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { parse } from 'yaml';
import { verdictOf } from '../../adapters/hl7/answer.ts';
import { failures } from '../../engine/kernel/failures.ts';

/** Where a code stands, by code. */
export type Codes = ReadonlyMap<string, string>;

export function codesInSources(): Codes {
  const codes = new Map<string, string>();
  for (const code of Object.keys(failures)) codes.set(code, 'engine/kernel/failures.ts');
  for (const code of answerCodes()) codes.set(code, 'adapters/hl7/answer.ts');
  for (const file of globSync('{engine,adapters,flows}/**/*.ts').toSorted()) {
    for (const code of codesIn(file)) codes.set(code, file);
  }
  for (const file of globSync('mappings/**/*.yaml').toSorted()) {
    for (const code of codesOfMap(parse(readFileSync(file, 'utf8')))) codes.set(code, file);
  }
  return codes;
}

/** Their codes are put together from MSA-1. */
function answerCodes(): readonly string[] {
  return ['AE', 'AR', 'CE', 'CR'].flatMap((answer) => {
    const verdict = verdictOf(answer);
    return verdict.kind === 'refused' ? [verdict.reason.code] : [];
  });
}

function codesIn(file: string): readonly string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest);
  const found: string[] = [];
  const look = (node: ts.Node): void => {
    found.push(...codesAt(node));
    ts.forEachChild(node, look);
  };
  look(source);
  return found;
}

/** Functions and classes whose first argument is a code. */
const constructors = new Set(['Refusal', 'ChannelFailure', 'deadEnd', 'refused', 'refuse', 'failed']);
const codeLike = /^[a-z][a-z0-9]*([-_][a-z0-9]+)*$/;
/** Words are joined in it: nobody takes it for anything else. */
const plainlyCode = /^[a-z][a-z0-9]*([-_][a-z0-9]+)+$/;

function codesAt(node: ts.Node): readonly string[] {
  if (ts.isObjectLiteralExpression(node)) return [...codesOfObject(node), ...codesOfTable(node)];
  if (ts.isCallExpression(node) || ts.isNewExpression(node)) return codesOfCall(node);
  return [];
}

/** `{ code: 'nothing-to-store', text: … }`, a reason or an issue; `{ failure: 'too-large', text: … }`, an answer to the flows. */
function codesOfObject(node: ts.ObjectLiteralExpression): readonly string[] {
  const named = (name: string): ts.ObjectLiteralElementLike | undefined =>
    node.properties.find((property) => property.name !== undefined && nameOf(property.name) === name);
  if (named('text') === undefined) return [];
  return [named('code'), named('failure')].flatMap((property) =>
    property !== undefined && ts.isPropertyAssignment(property) ? textOf(property.initializer) : [],
  );
}

/** `{ 'hl7-no-header': 'the message does not begin …', … }`: a table of codes and what they say. */
function codesOfTable(node: ts.ObjectLiteralExpression): readonly string[] {
  const codes = node.properties.map((property) => {
    if (!ts.isPropertyAssignment(property) || !isSentence(property.initializer)) return '';
    return nameOf(property.name);
  });
  return codes.every((code) => plainlyCode.test(code)) ? codes : [];
}

/** A call with a code and then a sentence counts whatever is called. */
function codesOfCall(node: ts.CallExpression | ts.NewExpression): readonly string[] {
  const callee = ts.isIdentifier(node.expression) ? node.expression.text : '';
  const [first, second] = node.arguments ?? [];
  if (first === undefined) return [];
  if (constructors.has(callee)) return textOf(first);
  return second !== undefined && isSentence(second)
    ? textOf(first).filter((code) => plainlyCode.test(code))
    : [];
}

/** Three words and more. */
const isSentence = (node: ts.Expression): boolean =>
  ts.isTemplateExpression(node) || (ts.isStringLiteralLike(node) && /\S \S+ \S/.test(node.text));

const nameOf = (name: ts.PropertyName): string =>
  ts.isIdentifier(name) || ts.isStringLiteral(name) ? name.text : '';

const textOf = (node: ts.Expression): readonly string[] =>
  ts.isStringLiteral(node) && codeLike.test(node.text) ? [node.text] : [];

/** `issue: { severity, code, text }` anywhere in a map, and the dispositions. */
function codesOfMap(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]: [string, unknown]) => [
    ...(name === 'issue' ? codeOf(inner) : []),
    ...(name === 'dispositions' && Array.isArray(inner) ? inner.flatMap(codeOf) : []),
    ...codesOfMap(inner),
  ]);
}

const codeOf = (value: unknown): readonly string[] => {
  const { code } = value as { readonly code?: unknown };
  return typeof code === 'string' ? [code] : [];
};
