// Channels kept as files in a folder, one each, YAML or JSON: configuration that lives in Git.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { badRequest } from '../../kernel/outcomes.ts';
import type { ChannelDefinition } from './channel.ts';
import { readChannel } from './read-channel.ts';

export interface ChannelFile {
  readonly file: string;
  readonly definition: ChannelDefinition;
}

/** In order of their names. Throws Refusal `bad-request` for the first file that holds no channel, or one that another file holds too. */
export function readChannelFiles(folder: string): readonly ChannelFile[] {
  const names = readdirSync(folder).filter((name) => /\.(ya?ml|json)$/.test(name) && !name.startsWith('.'));
  const owners = new Map<string, string>();
  return names.sort().map((name) => {
    const file = join(folder, name);
    const definition = readChannel(parsed(file), file);
    const owner = owners.get(definition.name);
    if (owner !== undefined) throw badRequest(`${file}: channel ${definition.name} is in ${owner} already`);
    owners.set(definition.name, file);
    return { file, definition };
  });
}

function parsed(file: string): unknown {
  const document = parseDocument(readFileSync(file, 'utf8'));
  const [error] = document.errors;
  if (error !== undefined) {
    throw badRequest(`${file}: ${error.message.split('\n', 1)[0] ?? 'cannot be read'}`);
  }
  return document.toJS({ maxAliasCount: 100 }) as unknown;
}
