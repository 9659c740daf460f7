// Node-RED's log lines on their way to the engine's log: what the runtime says is handed on, what a flow says is not.
import type { LogLine } from 'node-red';
import type { Channel } from '../channel.ts';
import { nodeErrorText } from './error-text.ts';

/** Node-RED's levels, by their upper bound. */
const levels = [
  [20, 'error'],
  [30, 'warn'],
  [40, 'info'],
] as const;
const maxText = 500;
/** What Node-RED warns of and is as we want it. It may not flush its files itself (see outside/flush.ts). */
const asWanted = [/^Flushing file /, /^Projects disabled/, /^Encrypted credentials not found/];

export function routeLog(channel: Channel, line: LogLine): void {
  const level = levels.find(([bound]) => line.level <= bound)?.[1];
  if (level === undefined) return;
  if (line.id === undefined) {
    const text = String(line.msg).trim().slice(0, maxText);
    if (!asWanted.some((pattern) => pattern.test(text))) channel.notify('log', { level, text });
  } else if (level === 'error') channel.notify('log', { level, text: nodeErrorText(line) });
  else if (level === 'warn') {
    channel.notify('log', {
      level,
      text: `a ${line.type ?? ''} node warns: see the debug sidebar of the editor`,
    });
  }
}
