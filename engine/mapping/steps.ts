// The steps of a message map, compiled: go through groups, choose, ask, make resources, say what is wrong.
import { isMap, isSeq, type Node, type YAMLMap } from 'yaml';
import type { FhirResource } from '../fhir/resource.ts';
import { withLets, type Lets } from './language/making.ts';
import { compileLets, conditionOf, located, type Library } from './language/template.ts';
import { compileExpression } from './language/expression.ts';
import { compileItems, type Items } from './language/items.ts';
import type { Question } from './mapper.ts';
import type { Output } from './output.ts';
import { placeName } from './places.ts';
import { makeResource, type ResourceMap } from './resource-map.ts';
import type { Scope } from './scope.ts';
import { scalarText, type MapSource } from './source.ts';
import type { Issue } from './wire-message.ts';

/** What a run collects. */
export interface Work {
  readonly output: Output;
  readonly questions: Question[];
  /** What the map of a query tells its answer, by name. */
  readonly told: Map<string, readonly string[]>;
}

export type Step = (scope: Scope, work: Work) => void;

export interface StepLibrary extends Library {
  /** Throws SyntaxError when there is none. */
  resource(name: string): ResourceMap;
  steps(name: string): readonly Step[];
}

/** Throws MapFault. */
export function compileSteps(node: unknown, source: MapSource, library: StepLibrary): readonly Step[] {
  if (!isSeq(node)) return [];
  return node.items.map((item) => compileStep(item as YAMLMap, source, library));
}

export function runSteps(steps: readonly Step[], scope: Scope, work: Work): void {
  for (const step of steps) step(scope, work);
}

const kinds = {
  each: eachStep,
  choose: chooseStep,
  make: makeStep,
  ask: askStep,
  issue: issueStep,
  include: includeStep,
  define: defineStep,
  tell: tellStep,
  steps: blockStep,
} as const;

/** The schema has seen to it that a step is of exactly one kind. */
function compileStep(node: YAMLMap, source: MapSource, library: StepLibrary): Step {
  const kind = Object.keys(kinds).find((name) => node.has(name)) as keyof typeof kinds | undefined;
  if (kind === undefined) throw source.fault(node, 'no step');
  const step = kinds[kind](node, source, library);
  const when = kind === 'choose' ? undefined : conditionOf(node.get('when', true), source, library);
  if (when === undefined) return step;
  return (scope, work) => {
    if (when(scope)) step(scope, work);
  };
}

/** Groups of a kind, repetitions of a field (`PV1-7[*]`), or values (`$name`). */
function eachStep(node: YAMLMap, source: MapSource, library: StepLibrary): Step {
  const each = node.get('each', true) as Node;
  const name = scalarText(each) ?? '';
  const { lets, steps } = bodyOf(node, source, library);
  const items = isGroupName(name) ? ofGroups(name) : compileItems(each, source, library);
  return (scope, work) => {
    for (const item of items(scope)) runSteps(steps, withLets(item, lets), work);
  };
}

const isGroupName = (text: string): boolean => /^[a-z][A-Za-z]*$/.test(text);

const ofGroups =
  (name: string): Items =>
  (scope) =>
    (scope.group.children.get(name) ?? []).map((group) => scope.within(group));

const bodyOf = (
  node: YAMLMap,
  source: MapSource,
  library: StepLibrary,
): { lets: Lets; steps: readonly Step[] } => ({
  lets: compileLets(node.get('let', true), source, library),
  steps: compileSteps(node.get('steps', true), source, library),
});

/** The first whose condition holds. */
function chooseStep(node: YAMLMap, source: MapSource, library: StepLibrary): Step {
  const cases = node.get('choose', true);
  if (!isSeq(cases)) throw source.fault(node, 'choose takes a list');
  const choices = cases.items.map((item) => {
    const choice = item as YAMLMap;
    const when = conditionOf(choice.get('when', true), source, library);
    return { when, steps: compileSteps(choice.get('steps', true), source, library) };
  });
  return (scope, work) => {
    const chosen = choices.find(({ when }) => when?.(scope) ?? true);
    if (chosen !== undefined) runSteps(chosen.steps, scope, work);
  };
}

function makeStep(node: YAMLMap, source: MapSource, library: StepLibrary): Step {
  const file = node.get('make', true) as Node;
  const map = located(file, source, () => library.resource(scalarText(file) ?? ''));
  const name = scalarText(node.get('as', true));
  if (name !== undefined) library.binds(name);
  return (scope, { output }) => {
    makeResource(map, scope, output, name);
  };
}

/** The answers are known under the name of the question, from here inwards. */
function askStep(node: YAMLMap, source: MapSource, library: StepLibrary): Step {
  const [name = '', type = ''] = [scalarText(node.get('ask', true)), scalarText(node.get('type', true))];
  library.binds(name);
  const query = located(node.get('query', true), source, () =>
    compileExpression((scalarText(node.get('query', true)) ?? '').replace(/^=/, ''), library),
  );
  return (scope, { questions }) => {
    const asked = query(scope);
    if (typeof asked !== 'string') return;
    const called = `${name}${numberOf(scope)}`;
    questions.push({ name: called, type, query: asked });
    const answers: readonly FhirResource[] = scope.run.answers[called] ?? [];
    scope.define(name, () => (answers.length === 0 ? undefined : answers));
  };
}

/** Groups ask for themselves: `order#2`; so do the repetitions of a field: `domain~2`. */
const numberOf = ({ group, item }: Scope): string => {
  const ofGroup = group.parent === undefined ? '' : `#${group.shape.name}${group.ordinal}`;
  return item === undefined ? ofGroup : `${ofGroup}~${item.repetition}`;
};

function issueStep(node: YAMLMap, source: MapSource): Step {
  const issue = node.get('issue', true);
  if (!isMap(issue)) throw source.fault(node, 'an issue has severity, code and text');
  const { severity, code, text } = issue.toJSON() as Pick<Issue, 'severity' | 'code' | 'text'>;
  return (scope, { output }) => {
    const place = placeOf(scope);
    output.issues.push(place === undefined ? { severity, code, text } : { severity, code, text, place });
  };
}

/** The repetition that is gone through, else the segment that opens the group. */
function placeOf({ item, group: { opener }, run }: Scope): string | undefined {
  if (item === undefined) return opener && `${opener.name}[${run.occurrence(opener)}]`;
  const whole = { occurrence: run.occurrence(item.segment), component: undefined, subcomponent: 1 };
  return placeName({ ...item, ...whole });
}

function includeStep(node: YAMLMap, source: MapSource, library: StepLibrary): Step {
  const file = node.get('include', true) as Node;
  const steps = located(file, source, () => library.steps(scalarText(file) ?? ''));
  return (scope, work) => {
    runSteps(steps, scope, work);
  };
}

/** Names known from here inwards, read when they are first asked for. */
function defineStep(node: YAMLMap, source: MapSource, library: StepLibrary): Step {
  const lets = compileLets(node.get('define', true), source, library);
  return (scope) => {
    for (const [name, expression] of lets) scope.define(name, expression);
  };
}

function blockStep(node: YAMLMap, source: MapSource, library: StepLibrary): Step {
  const { lets, steps } = bodyOf(node, source, library);
  return (scope, work) => {
    runSteps(steps, withLets(scope.inner(), lets), work);
  };
}

/** Texts that the answer to a query is to hold. */
function tellStep(node: YAMLMap, source: MapSource, library: StepLibrary): Step {
  const name = scalarText(node.get('tell', true)) ?? '';
  const value = located(node.get('value', true), source, () =>
    compileExpression((scalarText(node.get('value', true)) ?? '').replace(/^=/, ''), library),
  );
  return (scope, { told }) => {
    const found = [value(scope)].flat().filter((text) => typeof text === 'string');
    told.set(name, found);
  };
}
