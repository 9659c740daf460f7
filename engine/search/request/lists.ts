// `_list`: what Lists name, by their ids or by what they keep. https://hl7.org/fhir/R4/search.html#list
import { Refusal } from '../../kernel/outcomes.ts';
import { allOf, anyOf, leaf } from '../condition.ts';
import { splitEscaped, unescaped } from '../parameters/escapes.ts';
import type { Condition, ParameterName } from '../plan.ts';

/** The Lists of one kind that are current, as search parameters: https://hl7.org/fhir/R4/lifecycle.html#lists */
interface CurrentLists {
  /** Of http://hl7.org/fhir/R4/valueset-list-example-codes.html, by which a List says what it keeps. */
  readonly code: string;
  /** Of what they name, only resources of this type for which this holds. */
  readonly among?: { readonly type: string; readonly key: string; readonly value: string };
}

const currentLists: Readonly<Record<string, CurrentLists>> = {
  '$current-problems': { code: 'problems' },
  '$current-medications': { code: 'medications' },
  '$current-allergies': { code: 'allergies' },
  // There is no code of its own for such Lists.
  '$current-drug-allergies': {
    code: 'allergies',
    among: { type: 'AllergyIntolerance', key: 'category', value: 'medication' },
  },
};

/** Lists, and which of the resources that they name are meant. */
export interface AskedLists {
  /** Of Lists. */
  readonly lists: Condition;
  /** undefined: all that they name. */
  readonly among: { readonly type: string; readonly where: Condition } | undefined;
}

/** The condition of one parameter of a type. */
type ReadCondition = (type: string, key: string, value: string) => Condition;

/** `_list=42,$current-problems`. Throws Refusal `unknown-parameter` for a list that is not known. */
export function readLists(value: string, read: ReadCondition): readonly AskedLists[] {
  const names = splitEscaped(value, ',').map((one) => unescaped(one).replace(/^List\//, ''));
  const ids = names.filter((name) => !name.startsWith('$'));
  return [
    ...(ids.length === 0 ? [] : [{ lists: leaf({ kind: 'id', values: ids }), among: undefined }]),
    ...names.filter((name) => name.startsWith('$')).map((name) => currentOf(name, read)),
  ];
}

function currentOf(name: string, read: ReadCondition): AskedLists {
  const current = Object.hasOwn(currentLists, name) ? currentLists[name] : undefined;
  if (current === undefined) {
    const known = Object.keys(currentLists).join(', ');
    throw new Refusal('unknown-parameter', `_list takes the id of a List, or ${known}`, '_list');
  }
  const { code, among } = current;
  const system = 'http://terminology.hl7.org/CodeSystem/list-example-use-codes';
  return {
    lists: allOf([read('List', 'code', `${system}|${code}`), read('List', 'status', 'current')]),
    among: among && { type: among.type, where: read(among.type, among.key, among.value) },
  };
}

/** The resources of the type that are in such Lists, which name them by these parameters. */
export const listed = (
  type: string,
  asked: readonly AskedLists[],
  items: readonly ParameterName[],
): Condition =>
  anyOf(
    asked.map(({ lists, among }) => {
      if (among !== undefined && among.type !== type) return { op: 'none' };
      return allOf([
        anyOf(items.map((parameter) => ({ op: 'pointed-at-by', source: 'List', parameter, where: lists }))),
        among?.where ?? { op: 'every' },
      ]);
    }),
  );
