// What the parts may say to the log. Facts are ids, counts and codes: never a name, a result or a body.

export type LogFacts = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Logger {
  debug(facts: LogFacts, text: string): void;
  info(facts: LogFacts, text: string): void;
  warn(facts: LogFacts, text: string): void;
  /** `cause` is logged with its stack: it must not carry patient data in its message. */
  error(facts: LogFacts, text: string, cause?: unknown): void;
  child(facts: LogFacts): Logger;
}

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};
