// What expansion needs of CodeSystem and ValueSet resources, in a form that is small when it is kept.
// https://hl7.org/fhir/R4/codesystem.html https://hl7.org/fhir/R4/valueset.html

export interface Concept {
  readonly code: string;
  readonly display?: string;
  readonly parents?: readonly string[];
  readonly properties?: Readonly<Record<string, readonly string[]>>;
}

/** What a CodeSystem or ValueSet says of itself. */
export interface Named {
  readonly url: string;
  readonly name?: string;
  readonly version?: string;
}

export interface CodeSystemContent extends Named {
  /** Whether all its codes are here: content `complete`. */
  readonly complete: boolean;
  readonly concepts: readonly Concept[];
}

export interface Selection {
  readonly system?: string;
  readonly codes?: readonly string[];
  /** By code, where the value set names them. */
  readonly displays?: Readonly<Record<string, string>>;
  readonly filters?: readonly Filter[];
  readonly valueSets?: readonly string[];
}

export interface Filter {
  readonly property: string;
  readonly op: string;
  readonly value: string;
}

export interface ValueSetContent extends Named {
  readonly include: readonly Selection[];
  readonly exclude: readonly Selection[];
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};
const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.map(fieldsOf) : []);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function namedIn({ url, name, version }: Fields): Named {
  return {
    url: textOf(url),
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof version === 'string' ? { version } : {}),
  };
}

/** Values of other shapes than their definition's are passed over. */
export function codeSystemContent(resource: object): CodeSystemContent {
  const fields = fieldsOf(resource);
  const concepts: Concept[] = [];
  collectConcepts(listOf(fields.concept), undefined, concepts, 0);
  return { ...namedIn(fields), complete: fields.content === 'complete', concepts };
}

const deepestConcept = 100;
/** Properties that name a parent, beside the nesting. */
const parentProperties = new Set(['parent', 'subsumedBy']);

function collectConcepts(
  from: readonly Fields[],
  parent: string | undefined,
  into: Concept[],
  depth: number,
): void {
  if (depth > deepestConcept) return;
  for (const fields of from) {
    const code = textOf(fields.code);
    const properties = propertiesOf(listOf(fields.property));
    const named = [...parentProperties].flatMap((name) => properties[name] ?? []);
    const parents = [...new Set(parent === undefined ? named : [parent, ...named])];
    into.push({
      code,
      ...(typeof fields.display === 'string' ? { display: fields.display } : {}),
      ...(parents.length === 0 ? {} : { parents }),
      ...(Object.keys(properties).length === 0 ? {} : { properties }),
    });
    collectConcepts(listOf(fields.concept), code, into, depth + 1);
  }
}

function propertiesOf(from: readonly Fields[]): Readonly<Record<string, readonly string[]>> {
  const found = new Map<string, string[]>();
  for (const { code, valueCode, valueString, valueBoolean, valueInteger } of from) {
    const value = valueCode ?? valueString ?? valueBoolean ?? valueInteger;
    if (typeof value !== 'string' && typeof value !== 'boolean' && typeof value !== 'number') continue;
    found.set(textOf(code), [...(found.get(textOf(code)) ?? []), String(value)]);
  }
  return Object.fromEntries(found);
}

/** From its definition; where it has none, from the expansion that it carries. */
export function valueSetContent(resource: object): ValueSetContent {
  const fields = fieldsOf(resource);
  const { compose, expansion } = fields;
  const { include, exclude } = fieldsOf(compose);
  if (compose !== undefined) {
    return {
      ...namedIn(fields),
      include: listOf(include).map(selectionOf),
      exclude: listOf(exclude).map(selectionOf),
    };
  }
  const codes: Selection[] = [];
  collectExpanded(listOf(fieldsOf(expansion).contains), codes, 0);
  return { ...namedIn(fields), include: codes, exclude: [] };
}

function selectionOf({ system, concept, filter, valueSet }: Fields): Selection {
  const concepts = listOf(concept);
  const codes = concepts.map(({ code }) => textOf(code));
  const displays = displaysOf(concepts);
  const filters = listOf(filter).map(({ property, op, value }) => ({
    property: textOf(property),
    op: textOf(op),
    value: textOf(value),
  }));
  const valueSets = Array.isArray(valueSet) ? valueSet.map(textOf) : [];
  return {
    ...(typeof system === 'string' ? { system } : {}),
    ...(codes.length === 0 ? {} : { codes }),
    ...(displays === undefined ? {} : { displays }),
    ...(filters.length === 0 ? {} : { filters }),
    ...(valueSets.length === 0 ? {} : { valueSets }),
  };
}

function displaysOf(concepts: readonly Fields[]): Readonly<Record<string, string>> | undefined {
  const named = concepts.flatMap(({ code, display }) =>
    typeof code === 'string' && typeof display === 'string' ? [[code, display] as const] : [],
  );
  return named.length === 0 ? undefined : Object.fromEntries(named);
}

function collectExpanded(from: readonly Fields[], into: Selection[], depth: number): void {
  if (depth > deepestConcept) return;
  for (const one of from) {
    const { system, code, contains, abstract } = one;
    const displays = displaysOf([one]);
    if (typeof code === 'string' && abstract !== true) {
      into.push({ system: textOf(system), codes: [code], ...(displays === undefined ? {} : { displays }) });
    }
    collectExpanded(listOf(contains), into, depth + 1);
  }
}
