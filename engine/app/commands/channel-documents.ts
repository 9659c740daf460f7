// Channels as people keep them: files of one channel each, or of many as `channels export` writes them.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument, stringify } from 'yaml';
import { badRequest } from '../../kernel/outcomes.ts';

/** The channels in these files and folders, as they were written: the engine checks them. Throws Refusal `bad-request` for what is no YAML. */
export const readDocuments = (paths: readonly string[]): readonly unknown[] =>
  paths.flatMap(filesIn).flatMap(channelsOf);

const filesIn = (path: string): readonly string[] =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
    ? readdirSync(path)
        .filter((name) => /\.(ya?ml|json)$/.test(name) && !name.startsWith('.'))
        .sort()
        .map((name) => join(path, name))
    : [path];

function channelsOf(file: string): readonly unknown[] {
  const document = parseDocument(textOf(file));
  const [error] = document.errors;
  if (error !== undefined) throw badRequest(`${file}: ${error.message.split('\n', 1)[0] ?? 'no YAML'}`);
  const content = document.toJS({ maxAliasCount: 100 }) as { readonly channels?: unknown } | null;
  return Array.isArray(content?.channels) ? content.channels : [content];
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw badRequest(`${file} cannot be read`);
  }
}

/** One file each, named after its channel: what KIUNGO_CHANNELS and `channels import` take. Answers where they lie. */
export function writeDocuments(
  folder: string,
  channels: readonly { readonly name: string }[],
): readonly string[] {
  mkdirSync(folder, { recursive: true });
  return channels.map((channel) => {
    const file = join(folder, `${channel.name}.yaml`);
    writeFileSync(file, stringify(channel));
    return file;
  });
}
