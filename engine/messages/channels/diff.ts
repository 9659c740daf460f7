// What differs between two versions of a channel, place by place.

export interface Difference {
  /** `destinations[0].to.port` */
  readonly place: string;
  /** undefined: was not there. */
  readonly from: unknown;
  /** undefined: is not there any more. */
  readonly to: unknown;
}

export function differences(from: unknown, to: unknown, place = ''): readonly Difference[] {
  if (isGroup(from) && isGroup(to) && Array.isArray(from) === Array.isArray(to)) {
    const names = [...new Set([...Object.keys(from), ...Object.keys(to)])];
    return names.flatMap((name) =>
      differences(from[name], to[name], placeOf(place, name, Array.isArray(to))),
    );
  }
  return JSON.stringify(from) === JSON.stringify(to) ? [] : [{ place, from, to }];
}

const isGroup = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

function placeOf(place: string, name: string, isList: boolean): string {
  if (isList) return `${place}[${name}]`;
  return place === '' ? name : `${place}.${name}`;
}
