// Where in a resource a reference stands, as a FHIRPath, for the refusals that speak of it.

/** The element that holds `reference`, such as `Observation.performer[1]`, below `root`; `root` where there is none. */
export function placeOf(resource: object, reference: string, root: string): string {
  return placeWithin(resource, reference, root) ?? root;
}

function placeWithin(value: unknown, reference: string, place: string): string | undefined {
  if (Array.isArray(value)) {
    return firstPlace(value, reference, (position) => `${place}[${position}]`);
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if ('reference' in value && value.reference === reference) return place;
  return firstPlace(value, reference, (name) => `${place}.${name}`);
}

function firstPlace(holder: object, reference: string, below: (name: string) => string): string | undefined {
  for (const [name, part] of Object.entries(holder) as [string, unknown][]) {
    const found = placeWithin(part, reference, below(name));
    if (found !== undefined) return found;
  }
  return undefined;
}
