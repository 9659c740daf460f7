// Cuts a message into groups of segments, so that a rule sees its own group and those around it, never a neighbour's.
import type { WireMessage, WireSegment } from './wire-message.ts';

export interface GroupShape {
  readonly name: string;
  /** Segments that open a group of this kind. */
  readonly starts: readonly string[];
  /** Further segments that belong to it. */
  readonly owns: readonly string[];
  readonly groups: readonly GroupShape[];
  /** The kind of child without which the group means nothing. */
  readonly needs: string | undefined;
}

export interface Group {
  readonly shape: GroupShape;
  readonly parent: Group | undefined;
  /** Counts the groups of this kind in the message, from 1. */
  readonly ordinal: number;
  /** The segment that opened it; undefined for the message itself. */
  readonly opener: WireSegment | undefined;
  readonly segments: Map<string, WireSegment[]>;
  readonly children: Map<string, Group[]>;
}

export interface GroupedMessage {
  readonly root: Group;
  /** Every group that lacks what it needs. */
  readonly incomplete: readonly Group[];
  /** Segments that no group takes. */
  readonly strays: readonly WireSegment[];
}

/** Linear in the number of segments. */
export function groupSegments(message: WireMessage, shape: GroupShape): GroupedMessage {
  const root = newGroup(shape, undefined, 1, undefined);
  const all: Group[] = [];
  const strays: WireSegment[] = [];
  const counts = new Map<string, number>();
  let current = root;
  for (const segment of message.segments) {
    const home = homeOf(segment.name, current);
    if (home === undefined) {
      strays.push(segment);
    } else if (home.opens === undefined) {
      current = home.group;
      attach(current, segment);
    } else {
      const ordinal = (counts.get(home.opens.name) ?? 0) + 1;
      counts.set(home.opens.name, ordinal);
      current = openGroup(home.group, home.opens, ordinal, segment);
      all.push(current);
    }
  }
  return { root, strays, incomplete: all.filter(lacksWhatItNeeds) };
}

/** The whole message as one group. */
export function flatGroup(message: WireMessage): Group {
  const root = newGroup(
    { name: 'message', starts: [], owns: [], groups: [], needs: undefined },
    undefined,
    1,
    undefined,
  );
  for (const segment of message.segments) attach(root, segment);
  return root;
}

/** From the innermost open group outwards: who owns this segment, or may open a group with it. */
function homeOf(name: string, innermost: Group): { group: Group; opens?: GroupShape } | undefined {
  for (let group: Group | undefined = innermost; group !== undefined; group = group.parent) {
    const opens = group.shape.groups.find((child) => child.starts.includes(name));
    if (opens !== undefined) return { group, opens };
    if (group.shape.owns.includes(name) || stillOpening(group, name)) return { group };
  }
  return undefined;
}

/** `ORC` then `OBR` open one group together, until it has children or a segment of that name. */
const stillOpening = (group: Group, name: string): boolean =>
  group.children.size === 0 && group.shape.starts.includes(name) && !group.segments.has(name);

function openGroup(parent: Group, shape: GroupShape, ordinal: number, segment: WireSegment): Group {
  const group = newGroup(shape, parent, ordinal, segment);
  attach(group, segment);
  const siblings = parent.children.get(shape.name);
  if (siblings === undefined) parent.children.set(shape.name, [group]);
  else siblings.push(group);
  return group;
}

function newGroup(
  shape: GroupShape,
  parent: Group | undefined,
  ordinal: number,
  opener: WireSegment | undefined,
): Group {
  return { shape, parent, ordinal, opener, segments: new Map(), children: new Map() };
}

function attach(group: Group, segment: WireSegment): void {
  const same = group.segments.get(segment.name);
  if (same === undefined) group.segments.set(segment.name, [segment]);
  else same.push(segment);
}

const lacksWhatItNeeds = (group: Group): boolean =>
  group.shape.needs !== undefined && !group.children.has(group.shape.needs);
