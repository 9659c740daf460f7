// Remembers, when a trace is wanted, which field made which element by which rule.
import { cleared } from './cleared.ts';
import type { TraceLine } from './mapper.ts';
import { forEachValue, placeKey, placeName, type Place } from './places.ts';
import type { WireMessage } from './wire-message.ts';

interface Line {
  readonly place: Place | undefined;
  /** What it was made in: its name is known only when the bundle is. */
  readonly made: object;
  readonly element: string;
  readonly rule: string;
}

export class Recorder {
  readonly #lines: Line[] = [];
  readonly #path: string[] = [];
  #made: object = {};
  #reads: Place[] = [];
  #quiet = 0;

  read(place: Place): void {
    this.#reads.push(place);
  }

  /** What is read and made from here on belongs to the resource that `made` stands for. */
  begin(made: object): void {
    this.#made = made;
    this.#reads = [];
  }

  enter(step: string): void {
    this.#path.push(step);
  }

  leave(): void {
    this.#path.pop();
  }

  /** Runs a rule; when it gives a value, what it read is what the element was made from. */
  rule<T>(rule: string, evaluate: () => T | undefined): T | undefined {
    if (this.#quiet > 0) return evaluate();
    const outer = this.#reads;
    this.#reads = [];
    const value = evaluate();
    if (value !== undefined && value !== cleared) this.#write(rule);
    this.#reads = outer;
    return value;
  }

  /** What is evaluated makes no element by itself: what it reads counts for whoever uses its value. */
  aside<T>(evaluate: () => T): T {
    this.#quiet++;
    const value = evaluate();
    this.#quiet--;
    return value;
  }

  #write(rule: string): void {
    const element = this.#path.join('');
    const read = new Map(this.#reads.map((place) => [placeKey(place), place]));
    const places = read.size > 0 ? read.values() : [undefined];
    for (const place of places) this.#lines.push({ place, made: this.#made, element, rule });
  }

  /** For taking back what came to nothing. */
  mark(): number {
    return this.#lines.length;
  }

  rollback(mark: number): void {
    this.#lines.length = mark;
  }

  /** `name` tells how an element is called in the result; undefined when its resource is not in it. */
  trace(name: (made: object, element: string) => string | undefined): readonly TraceLine[] {
    return this.#lines.flatMap(({ place, made, element, rule }) => {
      const to = name(made, element);
      const from = place === undefined ? undefined : placeName(place);
      return to === undefined ? [] : [{ from, to, rule }];
    });
  }

  /** Valued places from which no element was made; the delimiters in MSH-1 and MSH-2 say nothing and are not counted. */
  unmapped(
    message: WireMessage,
    name: (made: object, element: string) => string | undefined,
  ): readonly string[] {
    const used = new Set(
      this.#lines.flatMap(({ place, made }) =>
        place && name(made, '') !== undefined ? [placeKey(place)] : [],
      ),
    );
    const unused: string[] = [];
    forEachValue(message, (place) => {
      const whole = placeKey({ ...place, component: undefined });
      if (!used.has(placeKey(place)) && !used.has(whole)) unused.push(placeName(place));
    });
    return unused;
  }
}
