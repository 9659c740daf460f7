// Property insertion: `Observation?subject={{payload.subject.reference}}`. Inserted values cannot change the question that is asked.
import { FlowNodeError } from './error-text.ts';

/** Finds the property of the message that an expression such as `payload.subject.reference` or `results[0].id` names. */
export type PropertyReader = (expression: string) => unknown;

const insertion = /\{\{\s*([^{}]{1,200}?)\s*\}\}/g;
const wholeInsertion = /^\{\{\s*([^{}]{1,200}?)\s*\}\}$/;
/** What may stand in the path of a reference: https://hl7.org/fhir/R4/datatypes.html#id */
const pathPart = /^[A-Za-z0-9.\-/]{1,200}$/;
const maxAsked = 200;

/**
 * The references and searches that a template asks for. A template that is one insertion may name a text, a Reference, or a list of
 * them; in any other the values are inserted, percent-encoded after the `?`. An empty list where a property is missing.
 */
export function questions(template: string, read: PropertyReader): readonly string[] {
  const whole = wholeInsertion.exec(template.trim());
  if (whole?.[1] !== undefined) return asQuestions(read(whole[1]), whole[1]);
  const one = insertInto(template.trim(), read);
  return one === undefined ? [] : [one];
}

/** The template with its insertions; undefined when a property is missing. */
function insertInto(template: string, read: PropertyReader): string | undefined {
  const missing: string[] = [];
  const query = template.indexOf('?');
  const text = template.replace(insertion, (_all, expression: string, at: number) => {
    const value = read(expression);
    if (value === undefined || value === null) missing.push(expression);
    return query !== -1 && at > query ? encoded(value, expression) : plain(value, expression);
  });
  return missing.length > 0 ? undefined : text;
}

function encoded(value: unknown, expression: string): string {
  return [value]
    .flat()
    .map((one) => encodeURIComponent(asText(one, expression)))
    .join(',');
}

function plain(value: unknown, expression: string): string {
  const text = asText(value, expression);
  if (value === undefined || value === null || pathPart.test(text)) return text;
  throw new FlowNodeError(`what stands at ${expression} cannot be part of a reference`);
}

function asText(value: unknown, expression: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return String(value);
  }
  throw new FlowNodeError(`what stands at ${expression} is no text`);
}

function asQuestions(value: unknown, expression: string): readonly string[] {
  const list = (Array.isArray(value) ? value : [value]).map(referenceIn).filter((one) => one !== undefined);
  if (list.length > maxAsked) throw new FlowNodeError(`at most ${maxAsked} resources are read at a time`);
  return list.map((one: unknown) => {
    if (typeof one === 'string') return one;
    throw new FlowNodeError(`what stands at ${expression} is neither a reference nor a search`);
  });
}

/** A Reference may have an identifier only: then it names nothing that could be read. */
const referenceIn = (value: unknown): unknown =>
  typeof value === 'object' && value !== null
    ? (value as { readonly reference?: unknown }).reference
    : (value ?? undefined);
