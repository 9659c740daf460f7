// A map that forgets its oldest entries, so that what outsiders put into it cannot fill the memory.

export interface BoundedMap<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  delete(key: string): void;
}

export function createBoundedMap<V>(maximum: number): BoundedMap<V> {
  const entries = new Map<string, V>();
  return {
    get: (key) => entries.get(key),
    set: (key, value) => {
      // Deleted first, so that the oldest stand first.
      entries.delete(key);
      entries.set(key, value);
      if (entries.size > maximum) entries.delete(entries.keys().next().value ?? key);
    },
    delete: (key) => void entries.delete(key),
  };
}
