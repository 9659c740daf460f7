// What of an error may leave the flows process: never a text that a flow made, for it may name a patient.
import type { LogLine } from 'node-red';

/** Errors whose text the language makes, out of the flow's own words; a SyntaxError of JSON.parse quotes its input. */
const spoken = new Set(['TypeError', 'ReferenceError', 'RangeError', 'FlowNodeError', 'ChannelFailure']);
const maxText = 300;

/** An error of our own nodes: its text is ours and carries no patient data. */
export class FlowNodeError extends Error {
  override readonly name = 'FlowNodeError';
}

/** `the function node "Compose" failed: TypeError: …`; a flow's own text is left to the editor's debug sidebar. */
export function nodeErrorText(line: LogLine): string {
  const node = `the ${line.type ?? ''} node ${JSON.stringify(line.name ?? line.id)}`;
  return `${node} failed: ${errorText(line.msg)}`.slice(0, maxText);
}

export function errorText(error: unknown): string {
  const { name, message } = namesOf(error);
  if (!spoken.has(name)) return 'its message is shown in the debug sidebar of the editor only';
  return name === 'FlowNodeError' || name === 'ChannelFailure' ? message : `${name}: ${message}`;
}

/** Errors of a function node come from a context of their own, where `instanceof Error` does not hold. */
function namesOf(error: unknown): { readonly name: string; readonly message: string } {
  if (typeof error !== 'object' || error === null) return { name: '', message: '' };
  const { name, message } = error as { readonly name?: unknown; readonly message?: unknown };
  return {
    name: typeof name === 'string' ? name : '',
    message: typeof message === 'string' ? message : '',
  };
}
