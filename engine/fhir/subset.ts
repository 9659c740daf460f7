// Parts of resources: _summary and _elements. https://hl7.org/fhir/R4/search.html#summary, #elements
import type { Meta } from '@medplum/fhirtypes';
import { badRequest } from '../kernel/outcomes.ts';
import type { FhirResource } from './resource.ts';
import type { PlacedElement, Shape, Shapes } from './shapes/shape.ts';

/** What is asked for: a kind of summary, or names of elements at the top of the resource. */
export type SubsetWish =
  { readonly summary: 'true' | 'text' | 'data' } | { readonly elements: ReadonlySet<string> };

/** `gender`, or of one type alone `Patient.gender`. */
const elementName = /^(?:[A-Z][A-Za-z]{0,63}\.)?[A-Za-z][A-Za-z0-9]{0,63}$/;
const maximumNames = 100;

/** Reads the two parameters; undefined: all is wanted. Throws Refusal `bad-request` for what they cannot be. */
export function subsetWish(
  summary: string | undefined,
  elements: string | undefined,
): SubsetWish | undefined {
  const asked = summary === 'false' ? undefined : summary;
  if (asked !== undefined && elements !== undefined) {
    throw badRequest('_summary and _elements do not go together', '_elements');
  }
  if (asked === 'true' || asked === 'text' || asked === 'data') return { summary: asked };
  if (asked !== undefined) throw badRequest('_summary is true, text, data or false here', '_summary');
  if (elements === undefined) return undefined;
  const names = elements.split(',');
  if (names.length > maximumNames || !names.every((name) => elementName.test(name))) {
    throw badRequest('_elements is a list of names of elements, with commas between them', '_elements');
  }
  return { elements: new Set(names) };
}

/**
 * The part of a resource that is wanted, marked as SUBSETTED. Elements that must be there, and those that change the meaning of
 * others, are never left out.
 */
export function subsetOf(resource: FhirResource, wish: SubsetWish, shapes: Shapes): FhirResource {
  const shape = shapes.shape(resource.resourceType);
  if (!shape) return resource;
  const { resourceType, id, meta, ...others } = resource;
  const wanted = wantedBy(wish, resourceType);
  const part = partOf(others, shape, wanted);
  const summed = 'summary' in wish && wish.summary === 'true' ? summaryOf(part, shape, shapes) : part;
  return { resourceType, ...(id === undefined ? {} : { id }), meta: marked(meta), ...summed };
}

/** A searchset or history with the wanted part of each resource; what tells of the search itself stays whole. */
export function subsetEntries(bundle: FhirResource, wish: SubsetWish, shapes: Shapes): FhirResource {
  const entries = bundle['entry'];
  if (!Array.isArray(entries)) return bundle;
  return { ...bundle, entry: entries.map((entry: Entry) => subsetEntry(entry, wish, shapes)) };
}

interface Entry {
  readonly resource?: FhirResource;
  readonly search?: { readonly mode?: string };
}

function subsetEntry(entry: Entry, wish: SubsetWish, shapes: Shapes): Entry {
  if (!entry.resource || entry.search?.mode === 'outcome') return entry;
  return { ...entry, resource: subsetOf(entry.resource, wish, shapes) };
}

type Fields = Readonly<Record<string, unknown>>;
type Wanted = (element: PlacedElement) => boolean;

function wantedBy(wish: SubsetWish, type: string): Wanted {
  if (!('elements' in wish)) return summaries[wish.summary];
  const { elements } = wish;
  const isNamed = (name: string): boolean => elements.has(name) || elements.has(`${type}.${name}`);
  return ({ name, choice }) => isNamed(name) || (choice !== undefined && isNamed(choice));
}

const summaries: Readonly<Record<'true' | 'text' | 'data', Wanted>> = {
  true: ({ summary }) => summary === true,
  text: ({ name }) => name === 'text',
  data: ({ name }) => name !== 'text',
};

function partOf(fields: Fields, { elements }: Shape, wanted: Wanted): Fields {
  const kept = Object.entries(fields).filter(([key]) => {
    const element = elements.get(key.startsWith('_') ? key.slice(1) : key);
    return element !== undefined && (element.kept === true || wanted(element));
  });
  return Object.fromEntries(kept);
}

/** Inner elements have their own marks in the definitions: of a component the value counts, the reference range does not. */
function summaryOf(fields: Fields, shape: Shape, shapes: Shapes): Fields {
  const inner = Object.entries(fields).map(([key, value]) => {
    const type = shape.elements.get(key)?.type;
    const below = type === undefined ? undefined : shapes.shape(type);
    return [key, below && hasSummary(below) ? each(value, below, shapes) : value];
  });
  return Object.fromEntries(inner) as Fields;
}

/** Extensions and narratives have no marks inside: they come whole. */
const hasSummary = ({ elements }: Shape): boolean => elements.values().some(({ summary }) => summary);

function each(value: unknown, shape: Shape, shapes: Shapes): unknown {
  if (Array.isArray(value)) return value.map((one) => each(one, shape, shapes));
  if (typeof value !== 'object' || value === null) return value;
  const part = partOf(value as Fields, shape, summaries.true);
  // What consists of extensions alone would become empty, which FHIR does not allow.
  return Object.keys(part).length === 0 ? value : summaryOf(part, shape, shapes);
}

const subsetted = {
  system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue',
  code: 'SUBSETTED',
} as const;

type Tag = NonNullable<Meta['tag']>[number];

const isMark = ({ system, code }: Tag): boolean => system === subsetted.system && code === subsetted.code;

/** Whether it says that it is not all of its resource. */
export const isMarked = ({ meta }: FhirResource): boolean => meta?.tag?.some(isMark) ?? false;

/** Says of a resource that it is not all of it. */
export function marked(meta: Meta = {}): Meta {
  const tags = meta.tag ?? [];
  return tags.some(isMark) ? meta : { ...meta, tag: [...tags, subsetted] };
}

/** The resource without that mark. */
export function unmarked(resource: FhirResource): FhirResource {
  const { tag, ...meta } = resource.meta ?? {};
  const others = tag?.filter((one) => !isMark(one)) ?? [];
  return { ...resource, meta: others.length === 0 ? meta : { ...meta, tag: others } };
}
