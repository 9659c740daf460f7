// From what somebody wrote to a channel that can run, or to all that is wrong with it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import { readSchedule } from '../../jobs/schedule.ts';
import { Refusal } from '../../kernel/outcomes.ts';
import type { ChannelDefinition } from './channel.ts';

const schema: object = JSON.parse(
  readFileSync(join(import.meta.dirname, 'schema', 'channel.schema.json'), 'utf8'),
) as object;

const isChannel = new Ajv({ allErrors: true, discriminator: true }).compile<ChannelDefinition>(schema);

/** No more are told at once. */
const mostProblems = 20;

/** Throws Refusal `bad-request` that names every problem with its place. `where`: the file or body that it was read from. */
export function readChannel(value: unknown, where: string): ChannelDefinition {
  const problems = isChannel(value) ? contradictions(value) : (isChannel.errors ?? []).map(textOf);
  if (problems.length === 0) return value as ChannelDefinition;
  const told = [...new Set(problems)].slice(0, mostProblems).join('; ');
  throw new Refusal('bad-request', `${where}: ${told}`);
}

function textOf({ instancePath, message, params }: ErrorObject): string {
  const extra = (params as Record<string, unknown>)['additionalProperty'];
  const allowed = (params as Record<string, unknown>)['allowedValues'];
  const more =
    typeof extra === 'string' ? ` (${extra})` : Array.isArray(allowed) ? `: ${allowed.join(', ')}` : '';
  const place = instancePath === '' ? 'the channel' : instancePath.slice(1).replaceAll('/', '.');
  return `${place} ${message ?? 'is not as it should be'}${more}`;
}

function contradictions({ destinations = [], source, queries }: ChannelDefinition): readonly string[] {
  const names = destinations.map(({ name }) => name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  const work = queries?.work;
  const lost = work === undefined || names.includes(work) ? [] : [work];
  return [
    ...twice.map((name) => `destinations: there are two of the name ${name}`),
    ...lost.map((name) => `queries.work: there is no destination ${name}`),
    ...badTimes(source),
  ];
}
/** The time zone changes nothing about whether an expression can be read. */
function badTimes(source: ChannelDefinition['source']): readonly string[] {
  if (source.kind !== 'timer' || source.cron === undefined) return [];
  try {
    readSchedule({ cron: source.cron }, 'UTC');
    return [];
  } catch (error) {
    return [`source.cron: ${(error as Error).message}`];
  }
}
