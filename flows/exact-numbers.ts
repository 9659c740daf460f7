// JSON that keeps decimals as they were written (`2.780` stays `2.780`): https://hl7.org/fhir/R4/datatypes.html#decimal
// The engine holds such a number as raw JSON. A flow must be able to calculate with it, so there it is a plain number, and its
// text stands beside it under a symbol that copies carry along and JSON never shows.

type JsonText = Readonly<Record<string, string>>;
type Holder = Record<string | symbol, unknown>;
interface ExactJson {
  parse(text: string, reviver: (this: Holder, key: string, value: unknown, at: Source) => unknown): unknown;
  rawJSON(text: string): object;
}
interface Source {
  readonly source?: string;
}

// The language's own types do not know the third argument of a reviver and rawJSON yet.
const json = JSON as unknown as ExactJson;

/** `quantity[Symbol.for('kiungo.exact')]?.value` is the text of `quantity.value`, where a number would lose some of it. */
const exact = Symbol.for('kiungo.exact');

const losesText = (value: unknown, { source }: Source): boolean =>
  typeof value === 'number' && source !== undefined && source !== String(value);

/** For the engine's side: numbers that would change become raw JSON. */
export function parseExact(text: string): unknown {
  return json.parse(text, (_key, value, at) =>
    losesText(value, at) && at.source !== undefined ? json.rawJSON(at.source) : value,
  );
}

/** For the side of the flows: all numbers are numbers; the texts of those that would change are kept beside them. */
export function parseForFlow(text: string): unknown {
  return json.parse(text, function (this: Holder, key, value, at) {
    if (losesText(value, at) && at.source !== undefined && !Array.isArray(this)) {
      this[exact] = { ...(this[exact] as JsonText | undefined), [key]: at.source };
    }
    return value;
  });
}

/** The way back: a number that the flow left as it was gets its text again. */
export function stringifyFromFlow(value: unknown): string {
  return JSON.stringify(value, function (this: Holder, key: string, member: unknown) {
    const text = (this[exact] as JsonText | undefined)?.[key];
    return text !== undefined && Number(text) === member ? json.rawJSON(text) : member;
  });
}
