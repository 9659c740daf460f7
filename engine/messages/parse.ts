// Step 1 of processing: the bytes become segments.
import { firstError } from './issues.ts';
import { deadEnd, type DeadEnd, type Parsed, type ProcessingParts, type Waiting } from './stages.ts';

export function parse(message: Waiting, parts: ProcessingParts): Parsed | DeadEnd {
  const format = parts.formats.of(message.record.format);
  const { charset } = parts.settingsOf(message.record.channel);
  const { message: wire, issues } = format.parse(message.raw, charset);
  if (wire !== undefined) return { ...message, wire, issues };
  return (
    firstError(issues) ??
    deadEnd('unreadable', 'the message could not be read, and its reader does not say why')
  );
}
