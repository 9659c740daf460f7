// A plan as text, for people: what is asked of the store, one condition a line, what belongs together indented.
import type { CanonicalNames, Condition, Leaf, Plan, SortKey, Span } from './plan.ts';

/** Several lines without one at the end. Values stand as they were asked. */
export function explainPlan(plan: Plan): string {
  return [
    `${plan.type} resources for which`,
    ...indented(conditionLines(plan.where)),
    `in the order of ${[...plan.order.map(explainKey), "the store's own"].join(', then ')}`,
    `${plan.count} a page${placeOf(plan)}, total ${plan.total}`,
  ].join('\n');
}

const placeOf = ({ after, before }: Plan): string =>
  before !== undefined ? ', before a place' : after !== undefined ? ', after a place' : '';

const indented = (lines: readonly string[]): readonly string[] => lines.map((line) => `  ${line}`);

function conditionLines(condition: Condition): readonly string[] {
  switch (condition.op) {
    case 'every':
      return ['anything holds'];
    case 'none':
      return ['nothing holds'];
    case 'leaf':
      return [explainLeaf(condition.leaf)];
    case 'and':
    case 'or':
      return [
        condition.op === 'and' ? 'all of' : 'one of',
        ...indented(condition.of.flatMap(conditionLines)),
      ];
    case 'not':
      return ['not', ...indented(conditionLines(condition.of))];
    case 'points-at':
      return [
        `${condition.parameter} points${byCanonical(condition)} at a ${condition.target} for which`,
        ...indented(conditionLines(condition.where)),
      ];
    case 'pointed-at-by':
      return [
        `a ${condition.source} points at it${byCanonical(condition)} by ${condition.parameter}, for which`,
        ...indented(conditionLines(condition.where)),
      ];
  }
}

const byCanonical = ({ by }: { readonly by?: CanonicalNames }): string =>
  by === undefined ? '' : ' by canonical';

function explainLeaf(leaf: Leaf): string {
  switch (leaf.kind) {
    case 'token':
      return `${leaf.parameter} is the code ${leaf.system === undefined ? '' : `${leaf.system}|`}${leaf.code ?? ''}`;
    case 'token-in':
      return `${leaf.parameter} is one of ${leaf.codes.reduce((sum, { codes }) => sum + codes.length, 0)} codes`;
    case 'reference':
      return `${leaf.parameter} refers to ${leaf.target}`;
    case 'uri':
      return `${leaf.parameter} is ${uriMatches[leaf.match]}${leaf.value}`;
    case 'canonical':
      return `${leaf.parameter} refers to a version of ${leaf.value}`;
    case 'string':
      return `${leaf.parameter} ${stringMatches[leaf.match]} ${JSON.stringify(leaf.value)}`;
    case 'date':
      return `${leaf.parameter} ${explainSpan(leaf, instantText)}`;
    case 'number':
      return `${leaf.parameter} ${explainSpan(leaf, String)}`;
    case 'quantity':
      return `${leaf.parameter} ${explainSpan(leaf, String)} ${leaf.unit ?? 'of any unit'}`;
    case 'missing':
      return `${leaf.parameter} has no value`;
    case 'composite':
      return `${leaf.parameter} has one value with ${leaf.parts.map(explainLeaf).join(' and ')}`;
    case 'near':
      return `${leaf.parameter} lies within ${leaf.metres} m of ${leaf.latitude} ${leaf.longitude}`;
    case 'text':
      return `${leaf.parameter} has the words ${leaf.words.map(({ word, prefix }) => `${word}${prefix ? '…' : ''}`).join(' ')}`;
    case 'id':
      return `the id is ${leaf.values.length === 1 ? String(leaf.values[0]) : `one of ${leaf.values.length}`}`;
    case 'lastUpdated':
      return `the last change ${explainSpan(leaf, instantText)}`;
  }
}

const uriMatches: Readonly<Record<Extract<Leaf, { kind: 'uri' }>['match'], string>> = {
  exact: '',
  below: 'or lies below ',
  versions: 'a version of ',
};

const stringMatches: Readonly<Record<Extract<Leaf, { kind: 'string' }>['match'], string>> = {
  prefix: 'begins with',
  exact: 'is written',
  contains: 'contains',
  whole: 'is',
  suffix: 'ends with',
};

const explainSpan = ({ comparator, low, high }: Span, text: (value: number) => string): string =>
  `${comparator} [${text(low)}, ${text(high)})`;

const instantText = (instant: number): string =>
  Math.abs(instant) <= 8.64e15 ? new Date(instant).toISOString() : String(instant);

const explainKey = ({ by, descending }: SortKey): string =>
  `${'parameter' in by ? by.parameter : by.kind}${descending ? ' descending' : ''}`;
