// HL7 paths: `PID-3[2].1`, `OBX-8[*].1`, `result/OBX-19`, and `.4.2` within the field at hand.
import type { Item, Scope } from '../scope.ts';

export interface Path {
  /** Kinds of child groups to go down through, the first of each. */
  readonly groups: readonly string[];
  /** undefined: the field at hand. */
  readonly segment: string | undefined;
  readonly field: number;
  /** undefined: all. */
  readonly repetition: number | undefined;
  /** undefined: the whole repetition, as on the wire. */
  readonly component: number | undefined;
  readonly subcomponent: number;
}

const absolute = /^((?:[a-zA-Z]+\/)*)([A-Z][A-Z0-9]{2})-(\d+)(?:\[(\d+|\*)\])?(?:\.(\*|\d+)(?:\.(\d+))?)?$/;
const relative = /^\.(\*|\d+)(?:\.(\d+))?$/;

/** Throws SyntaxError. */
export function parsePath(text: string): Path {
  const within = relative.exec(text);
  if (within !== null) {
    return { ...part(within[1], within[2]), groups: [], segment: undefined, field: 0, repetition: 1 };
  }
  const found = absolute.exec(text);
  if (found === null) throw new SyntaxError(`"${text}" is no path`);
  const [, groups = '', segment, field, repetition = '1', component, subcomponent] = found;
  return {
    ...part(component, subcomponent),
    segment,
    groups: groups.split('/').slice(0, -1),
    field: Number(field),
    repetition: repetition === '*' ? undefined : Number(repetition),
  };
}

const part = (component = '1', subcomponent = '1'): Pick<Path, 'component' | 'subcomponent'> => ({
  component: component === '*' ? undefined : Number(component),
  subcomponent: Number(subcomponent),
});

/** The text at a path: of the first segment of that name; a list when the path asks for all repetitions. */
export function pathReader(path: Path): (scope: Scope) => unknown {
  const { segment: name, field, component, subcomponent } = path;
  if (name === undefined) {
    return (scope) =>
      scope.item === undefined ? undefined : scope.text(scope.item, component, subcomponent);
  }
  if (path.repetition === undefined) {
    return (scope) =>
      itemsAt(path, scope)
        .map((item) => scope.text(item, component, subcomponent))
        .filter((text) => text !== undefined);
  }
  const { repetition } = path;
  return (scope) => {
    const segment = firstSegment(path, name, scope);
    return segment && scope.text({ segment, field, repetition }, component, subcomponent);
  };
}

/** Each repetition that a path means, in each segment of that name when it asks for all. */
export function itemsAt(path: Path, scope: Scope): readonly Item[] {
  const { segment: name, field, repetition } = path;
  if (name === undefined) return scope.item === undefined ? [] : [scope.item];
  const segment = firstSegment(path, name, scope);
  if (segment === undefined) return [];
  if (repetition !== undefined) return [{ segment, field, repetition }];
  const items: Item[] = [];
  const last = segment.repetitions(field);
  for (let place = 1; place <= last; place += 1) {
    items.push({ segment, field, repetition: place });
  }
  return items;
}

function firstSegment(path: Path, name: string, scope: Scope): Item['segment'] | undefined {
  const [first, ...further] = path.groups;
  if (first === undefined) return scope.segments(name)[0];
  let group = scope.groups(first)[0];
  for (const kind of further) group = group?.children.get(kind)?.[0];
  return group?.segments.get(name)?.[0];
}
