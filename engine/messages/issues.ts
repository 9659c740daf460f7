// Issues of parsers and maps as the reason that a message carries.
import type { Issue } from '../mapping/wire-message.ts';
import { deadEnd, type DeadEnd } from './stages.ts';

/** The dead end that the errors among the issues make; undefined where there are none. */
export function firstError(issues: readonly Issue[]): DeadEnd | undefined {
  const errors = issues.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (first === undefined) return undefined;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return deadEnd(first.code, `${issueText(first)}${more}`);
}

export const issueText = ({ place, text }: Issue): string =>
  place === undefined ? text : `${place}: ${text}`;
