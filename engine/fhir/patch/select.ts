// What a path selects in a resource, with the places where it lies, so that it can be changed there.
import { badRequest } from '../../kernel/outcomes.ts';
import { elementsNamed, type PlacedElement, type Shapes } from '../shapes/shape.ts';
import { isFields, isSame, type MutableFields } from './json-values.ts';
import type { Path } from './path.ts';
import type { Work } from './work.ts';

/** Where a value lies: a property of `holder`, for lists with the index. */
export interface Place {
  /** The type that has the element. */
  readonly of: string;
  readonly holder: MutableFields;
  readonly element: PlacedElement;
  readonly index: number | undefined;
}

export interface Selected {
  readonly value: unknown;
  /** Of a primitive: id and extensions. */
  readonly side: unknown;
  /** A datatype, or the path of a backbone element; '' for what was computed. */
  readonly type: string;
  /** undefined for the resource itself and for what was computed. */
  readonly place: Place | undefined;
}

export interface Selection {
  readonly shapes: Shapes;
  readonly work: Work;
  readonly resource: Selected;
}

export const selectionIn = (resource: MutableFields, shapes: Shapes, work: Work): Selection => ({
  shapes,
  work,
  resource: { value: resource, side: undefined, type: String(resource['resourceType']), place: undefined },
});

/** Throws Refusal `bad-request` for functions that such paths do not have. */
export function select(selection: Selection, path: Path, focus: readonly Selected[]): readonly Selected[] {
  selection.work.spend();
  switch (path.kind) {
    case 'literal':
      return [computed(path.value)];
    case 'this':
      return focus;
    case 'child':
      return path.of === undefined && isTypeName(selection, path.name)
        ? [selection.resource]
        : inside(selection, path.of, focus).flatMap((node) => childrenOf(selection, node, path.name));
    case 'index':
      return select(selection, path.of, focus).slice(path.index, path.index + 1);
    case 'call':
      return call(selection, path, inside(selection, path.of, focus));
    case 'binary':
      return compare(selection, path, focus);
  }
}

const inside = (
  selection: Selection,
  of: Path | undefined,
  focus: readonly Selected[],
): readonly Selected[] => (of === undefined ? focus : select(selection, of, focus));

const computed = (value: unknown): Selected => ({ value, side: undefined, type: '', place: undefined });

const isTypeName = ({ resource }: Selection, name: string): boolean =>
  name === resource.type || name === 'Resource' || name === 'DomainResource';

/** Where the elements of a node are: of a primitive beside its value. */
const holderOf = ({ shapes }: Selection, node: Selected): unknown =>
  shapes.isPrimitive(node.type) ? node.side : node.value;

function childrenOf(selection: Selection, node: Selected, name: string): readonly Selected[] {
  const holder = holderOf(selection, node);
  if (!isFields(holder)) return [];
  return elementsNamed(selection.shapes, node.type, name).flatMap((element) =>
    valuesOf(selection, { of: node.type, holder, element, index: undefined }),
  );
}

function valuesOf({ work }: Selection, place: Place): readonly Selected[] {
  const { holder, element } = place;
  const value = holder[element.name];
  const side = holder[`_${element.name}`];
  if (value === undefined && side === undefined) return [];
  if (!element.many) return [nodeOf(value, side, place)];
  const values: readonly unknown[] = Array.isArray(value) ? value : [];
  const sides: readonly unknown[] = Array.isArray(side) ? side : [];
  return Array.from({ length: Math.max(values.length, sides.length) }, (_none, index) => {
    work.spend();
    return nodeOf(values[index] ?? undefined, sides[index] ?? undefined, { ...place, index });
  });
}

function nodeOf(value: unknown, side: unknown, place: Place): Selected {
  const { type } = place.element;
  const own = type === 'Resource' && isFields(value) ? String(value['resourceType']) : type;
  return { value, side, type: own, place };
}

type Call = Extract<Path, { kind: 'call' }>;
type Func = (nodes: readonly Selected[], args: readonly Path[], selection: Selection) => readonly Selected[];

const yesNo = (value: boolean): readonly Selected[] => [computed(value)];

const functions: Readonly<Record<string, { readonly args: readonly number[]; readonly run: Func }>> = {
  where: {
    args: [1],
    run: (nodes, [condition], selection) =>
      condition ? nodes.filter((node) => isTrue(select(selection, condition, [node]))) : [],
  },
  exists: {
    args: [0, 1],
    run: (nodes, [condition], selection) =>
      yesNo(
        condition ? nodes.some((node) => isTrue(select(selection, condition, [node]))) : nodes.length > 0,
      ),
  },
  empty: { args: [0], run: (nodes) => yesNo(nodes.length === 0) },
  not: { args: [0], run: (nodes) => (nodes.length === 0 ? [] : yesNo(!isTrue(nodes))) },
  first: { args: [0], run: (nodes) => nodes.slice(0, 1) },
  last: { args: [0], run: (nodes) => nodes.slice(-1) },
  single: { args: [0], run: (nodes) => nodes },
  count: { args: [0], run: (nodes) => [computed(nodes.length)] },
  ofType: { args: [1], run: ofType },
  as: { args: [1], run: ofType },
  extension: {
    args: [1],
    run: (nodes, [url], selection) => {
      const wanted = url && select(selection, url, nodes)[0]?.value;
      return nodes
        .flatMap((node) => childrenOf(selection, node, 'extension'))
        .filter(({ value }) => isFields(value) && value['url'] === wanted);
    },
  },
  startsWith: { args: [1], run: (nodes, args, selection) => texts(nodes, args, selection, 'startsWith') },
  endsWith: { args: [1], run: (nodes, args, selection) => texts(nodes, args, selection, 'endsWith') },
  contains: { args: [1], run: (nodes, args, selection) => texts(nodes, args, selection, 'includes') },
};

function call(selection: Selection, { name, args }: Call, nodes: readonly Selected[]): readonly Selected[] {
  const known = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (!known) throw badRequest(`a path has these functions: ${Object.keys(functions).join(', ')}`);
  if (!known.args.includes(args.length)) {
    throw badRequest(`${name} takes ${known.args.join(' or ')} arguments`);
  }
  return known.run(nodes, args, selection);
}

function ofType(nodes: readonly Selected[], [type]: readonly Path[]): readonly Selected[] {
  const wanted = type?.kind === 'child' ? type.name : undefined;
  return nodes.filter((node) => node.type === wanted);
}

function texts(
  nodes: readonly Selected[],
  [part]: readonly Path[],
  selection: Selection,
  test: 'startsWith' | 'endsWith' | 'includes',
): readonly Selected[] {
  const text = nodes[0]?.value;
  const sought = part && select(selection, part, nodes)[0]?.value;
  return typeof text === 'string' && typeof sought === 'string' ? yesNo(text[test](sought)) : [];
}

const isTrue = (nodes: readonly Selected[]): boolean => nodes.length === 1 && nodes[0]?.value === true;

type Binary = Extract<Path, { kind: 'binary' }>;

function compare(
  selection: Selection,
  { operator, left, right }: Binary,
  focus: readonly Selected[],
): readonly Selected[] {
  const one = select(selection, left, focus);
  if (operator === 'and') return yesNo(isTrue(one) && isTrue(select(selection, right, focus)));
  if (operator === 'or') return yesNo(isTrue(one) || isTrue(select(selection, right, focus)));
  const other = select(selection, right, focus);
  // Comparing with nothing is neither true nor false.
  if (one.length === 0 || other.length === 0) return [];
  const loose = operator.endsWith('~');
  const same =
    one.length === other.length && one.every(({ value }, at) => isAlike(value, other[at]?.value, loose));
  return yesNo(operator.startsWith('!') ? !same : same);
}

const isAlike = (one: unknown, other: unknown, loose: boolean): boolean =>
  loose && typeof one === 'string' && typeof other === 'string'
    ? one.toLowerCase() === other.toLowerCase()
    : isSame(one, other);
