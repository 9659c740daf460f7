// What a person reads when the engine cannot start for a reason that is theirs to mend.
import { ConfigError } from './config.ts';

/** A port in use, a folder that may not be written, settings that cannot be used: said plainly. Anything else is thrown on. */
export function tellFailedStart(error: unknown): void {
  if (!(error instanceof ConfigError) && !isPlain(error)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

const isPlain = (error: unknown): error is Error =>
  error instanceof Error &&
  (error.name === 'Refusal' || ['EADDRINUSE', 'EACCES', 'EROFS'].includes(codeOf(error) ?? ''));

const codeOf = (error: NodeJS.ErrnoException): string | undefined => error.code;
