// A facility's own variations: files that change a shipped map by its name, so that an upgrade of the maps does not undo them.
import { isMap, isSeq, type Node, type Pair, type YAMLMap } from 'yaml';
import type { MapFault } from './source.ts';
import { scalarText, type MapSource } from './source.ts';

/** Whether a file changes another one; else it is a map (or table) of its own. */
export const isOverlay = (source: MapSource): boolean => source.document.has('changes');

/**
 * Changes the sources by what an overlay says: `remove` takes parts out, `set` puts parts in or in the place of others, `append` puts
 * members behind those of a list. Throws MapFault for what cannot be done. The overlay has passed its schema.
 */
export function applyOverlay(overlay: MapSource, sources: ReadonlyMap<string, MapSource>): void {
  const named = overlay.document.get('changes', true) as Node;
  const target = sources.get(`${scalarText(named) ?? ''}.yaml`);
  if (target === undefined) {
    throw overlay.fault(named, `there is no mappings/${scalarText(named) ?? ''}.yaml to change`);
  }
  const { contents } = target.document;
  if (!isMap(contents)) throw target.fault(contents, 'the file holds no map');
  removeParts(overlay, target);
  const change = new Change(overlay, target);
  change.set(contents, overlay.document.get('set', true));
  change.append(contents, overlay.document.get('append', true));
}

/** `remove: [elements/gender]` */
function removeParts(overlay: MapSource, target: MapSource): void {
  const paths = overlay.document.get('remove', true);
  if (!isSeq(paths)) return;
  for (const node of paths.items) {
    const path = scalarText(node) ?? '';
    if (target.document.deleteIn(path.split('/'))) continue;
    throw overlay.fault(node as Node, `there is no ${path} in ${target.file}`);
  }
}

class Change {
  readonly #overlay: MapSource;
  readonly #target: MapSource;

  constructor(overlay: MapSource, target: MapSource) {
    this.#overlay = overlay;
    this.#target = target;
  }

  /** Maps are changed part by part; anything else is replaced. */
  set(map: YAMLMap, wanted: unknown): void {
    for (const { existing, pair } of this.#pairs(map, wanted)) {
      if (isMap(existing?.value) && isMap(pair.value)) this.set(existing.value, pair.value);
      else this.#put(map, existing, pair);
    }
  }

  append(map: YAMLMap, wanted: unknown): void {
    for (const { existing, pair } of this.#pairs(map, wanted)) {
      if (existing === undefined) this.#put(map, existing, pair);
      else if (isMap(existing.value) && isMap(pair.value)) this.append(existing.value, pair.value);
      else if (isSeq(existing.value) && isSeq(pair.value)) {
        this.#target.adopt(pair.value, this.#overlay);
        existing.value.items.push(...pair.value.items);
      } else throw this.#fault(pair, 'is no list in what is changed');
    }
  }

  *#pairs(map: YAMLMap, wanted: unknown): Generator<{ existing: Pair | undefined; pair: Pair }> {
    if (!isMap(wanted)) return;
    for (const pair of wanted.items) {
      const name = scalarText(pair.key);
      yield { pair, existing: map.items.find(({ key }) => scalarText(key) === name) };
    }
  }

  #put(map: YAMLMap, existing: Pair | undefined, pair: Pair): void {
    this.#target.adopt(pair.value, this.#overlay);
    if (existing === undefined) map.items.push(pair);
    else existing.value = pair.value;
  }

  #fault({ key }: Pair, what: string): MapFault {
    return this.#overlay.fault(key as Node, `${scalarText(key) ?? ''} ${what}`);
  }
}
