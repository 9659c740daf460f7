// The FHIRPath expressions of outbound maps: read once, each name in them known, run over texts.
import fhirpath from 'fhirpath';
import { Refusal } from '../../kernel/outcomes.ts';

/** What `%name` stands for. */
export type Names = Readonly<Record<string, unknown>>;
export type Evaluate = (focus: unknown, names: Names) => readonly unknown[];

const name = /%`?([A-Za-z_]\w*)/g;
/** What FHIRPath itself knows. */
const builtIn = new Set(['context', 'resource', 'rootResource', 'ucum', 'sct', 'loinc']);

/** Reads each expression once for all maps that hold it. */
export class Expressions {
  readonly #read = new Map<string, Evaluate>();

  /** Throws SyntaxError for what is no FHIRPath, or asks for a name that is not among `known`. */
  compile(text: string, known: ReadonlySet<string>): Evaluate {
    for (const [, asked = ''] of text.replaceAll(/'(?:[^'\\]|\\.)*'/g, '').matchAll(name)) {
      if (!known.has(asked) && !builtIn.has(asked)) throw new SyntaxError(`there is no %${asked} here`);
    }
    const read = this.#read.get(text) ?? compiled(text);
    this.#read.set(text, read);
    return read;
  }
}

function compiled(text: string): Evaluate {
  const run = readable(text);
  return (focus, names) => {
    try {
      return run(focus, { ...names }) as readonly unknown[];
    } catch (error) {
      // What fhirpath throws may hold what it was given: it goes no further.
      if (error instanceof Error) throw cannotRun(text);
      throw error;
    }
  };
}

const cannotRun = (text: string): Refusal =>
  new Refusal(
    'unprocessable',
    `the map cannot ask this resource for ${text}: is a list where one value is meant?`,
  );

function readable(text: string): ReturnType<typeof fhirpath.compile> {
  try {
    return fhirpath.compile(text);
  } catch (error) {
    throw new SyntaxError(`${text} is no FHIRPath`, { cause: error });
  }
}

/** Whether a condition holds: FHIRPath's true, and nothing else. */
export const holds = (found: readonly unknown[]): boolean => found.length === 1 && found[0] === true;
