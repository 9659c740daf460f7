// A code into the codes that ConceptMaps give for it. https://hl7.org/fhir/R4/conceptmap-operation-translate.html
import type { Coded } from './validate-code.ts';

export interface TranslateWish {
  /** From target to source. */
  readonly reverse: boolean;
  /** undefined: into any. */
  readonly targetSystem: string | undefined;
}

export interface Match {
  readonly equivalence: string;
  /** Without a code where there is none. */
  readonly concept: { readonly system?: string; readonly code?: string; readonly display?: string };
  /** The url of the map. */
  readonly source: string;
}

/** A map that another names for what it does not have; undefined where it is not here. */
export type OtherMap = (canonical: string) => Promise<object | undefined>;

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};
const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.map(fieldsOf) : []);
const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Maps that lead to other maps are followed so often. */
const deepestLead = 5;

/** What the map has for the code; what hangs on other elements (`dependsOn`) is left out. */
export async function translate(
  map: object,
  coded: Coded,
  wish: TranslateWish,
  otherMap: OtherMap,
  depth = 0,
): Promise<readonly Match[]> {
  const { url, group } = fieldsOf(map);
  const source = textOf(url) ?? '';
  const matches: Match[] = [];
  for (const one of listOf(group)) {
    if (!isAsked(one, coded, wish)) continue;
    const found = wish.reverse ? backward(one, coded) : forward(one, coded);
    const unmapped = found === undefined && !wish.reverse ? fieldsOf(one['unmapped']) : {};
    matches.push(
      ...[...(found ?? []), ...unmappedIn(unmapped, one, coded)].map((match) => ({ ...match, source })),
    );
    const lead =
      unmapped['mode'] === 'other-map' && depth < deepestLead ? textOf(unmapped['url']) : undefined;
    const next = lead === undefined ? undefined : await otherMap(lead);
    if (next !== undefined) matches.push(...(await translate(next, coded, wish, otherMap, depth + 1)));
  }
  return matches;
}

function isAsked(group: Fields, { system }: Coded, { reverse, targetSystem }: TranslateWish): boolean {
  const [from, to] = reverse ? [group['target'], group['source']] : [group['source'], group['target']];
  return (system === undefined || from === system) && (targetSystem === undefined || to === targetSystem);
}

type Found = Omit<Match, 'source'>;

/** undefined: the group has nothing for the code, not even that there is nothing. */
function forward(group: Fields, { code }: Coded): readonly Found[] | undefined {
  const elements = elementsOf(group).get(code);
  return elements?.flatMap((element) =>
    listOf(element['target'])
      .filter(isFree)
      .map((target) => foundAs(textOf(target['equivalence']) ?? 'equivalent', group['target'], target)),
  );
}

const elements = new WeakMap<Fields, ReadonlyMap<unknown, readonly Fields[]>>();

/** The elements of a group by their code, made once for as long as the map is held. */
function elementsOf(group: Fields): ReadonlyMap<unknown, readonly Fields[]> {
  const known = elements.get(group) ?? Map.groupBy(listOf(group['element']), ({ code }) => code);
  elements.set(group, known);
  return known;
}

function backward(group: Fields, { code }: Coded): readonly Found[] {
  return listOf(group['element']).flatMap((element) =>
    listOf(element['target'])
      .filter((target) => target['code'] === code && isFree(target))
      .map((target) => {
        const equivalence = textOf(target['equivalence']) ?? 'equivalent';
        return foundAs(turned.get(equivalence) ?? equivalence, group['source'], element);
      }),
  );
}

const isFree = ({ dependsOn }: Fields): boolean => listOf(dependsOn).length === 0;

/** https://hl7.org/fhir/R4/valueset-concept-map-equivalence.html, seen from the other side. */
const turned: ReadonlyMap<string, string> = new Map([
  ['wider', 'narrower'],
  ['narrower', 'wider'],
  ['subsumes', 'specializes'],
  ['specializes', 'subsumes'],
]);

function unmappedIn({ mode, code, display }: Fields, group: Fields, coded: Coded): readonly Found[] {
  if (mode === 'provided') {
    return [foundAs('equal', group['target'], { code: coded.code, display: coded.display })];
  }
  return mode === 'fixed' ? [foundAs('inexact', group['target'], { code, display })] : [];
}

function foundAs(equivalence: string, system: unknown, { code, display }: Fields): Found {
  return {
    equivalence,
    concept: {
      ...(typeof system === 'string' ? { system } : {}),
      ...(typeof code === 'string' ? { code } : {}),
      ...(typeof display === 'string' ? { display } : {}),
    },
  };
}

/** Whether it says that there is a code, not that there is none. */
export const isTranslated = ({ equivalence }: Match): boolean =>
  equivalence !== 'unmatched' && equivalence !== 'disjoint';
