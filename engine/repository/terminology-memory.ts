// What was made of stored code systems, value sets and concept maps, kept until any of them changes: a large one takes a fifth of a second
// to be read, and is asked for again and again.

/** https://hl7.org/fhir/R4/terminology-module.html */
const kept: ReadonlySet<string> = new Set(['CodeSystem', 'ValueSet', 'ConceptMap']);

/** Of all that is kept, in characters of the JSON that it was made of; a code system of 50,000 concepts has some 8 million. */
const usualRoom = 48 * 1024 * 1024;
/** What an entry takes for its own sake, in the same measure. */
const ownWeight = 1_000;

/** Something that was found, and of how many characters it was made. */
export interface Found<T> {
  readonly value: T;
  readonly weight: number;
}

interface Entry {
  value?: Promise<unknown>;
  weight: number;
}

/**
 * For what is committed alone. Nothing is kept, and nothing kept is told, while a transaction that changes terminology is under way: so
 * whoever learns of a change learns of what follows from it too.
 */
export class TerminologyMemory {
  /** The one that was asked for last is the last. */
  readonly #entries = new Map<string, Entry>();
  readonly #room: number;
  #weight = 0;
  #changing = 0;

  constructor(room = usualRoom) {
    this.#room = room;
  }

  /** `find` is asked unless it is known; who asks while it is looked for waits for the same. Must not be changed by whoever gets it. */
  async get<T>(key: string, find: () => Promise<Found<T>>): Promise<T> {
    if (this.#changing > 0) return (await find()).value;
    const known = this.#entries.get(key);
    if (known?.value !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, known);
      // A key has one kind of value: whoever asks for it names what it is for.
      return known.value as Promise<T>;
    }
    const entry: Entry = { weight: 0 };
    this.#entries.set(key, entry);
    const value = this.#looked(key, entry, find);
    entry.value = value;
    return value;
  }

  /** Whether a change of a resource of this type changes what is kept here. */
  holds(type: string): boolean {
    return kept.has(type);
  }

  /** To be called before a change is committed; what it answers, when it is or is not any more. */
  change(): () => void {
    this.#changing += 1;
    this.#entries.clear();
    this.#weight = 0;
    return () => void (this.#changing -= 1);
  }

  async #looked<T>(key: string, entry: Entry, find: () => Promise<Found<T>>): Promise<T> {
    try {
      const { value, weight } = await find();
      if (this.#entries.get(key) === entry) this.#weigh(entry, weight + key.length + ownWeight);
      return value;
    } catch (error) {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
      throw error;
    }
  }

  /** Those that were not asked for the longest go first; one that is larger than all the room goes too. */
  #weigh(entry: Entry, weight: number): void {
    entry.weight = weight;
    this.#weight += weight;
    for (const [key, oldest] of this.#entries) {
      if (this.#weight <= this.#room) return;
      this.#entries.delete(key);
      this.#weight -= oldest.weight;
    }
  }
}

/** Of a reading that has a memory; a transaction looks each time. */
export const remembered = async <T>(
  { terminology }: { readonly terminology?: TerminologyMemory },
  key: string,
  find: () => Promise<Found<T>>,
): Promise<T> => (terminology === undefined ? (await find()).value : terminology.get(key, find));
