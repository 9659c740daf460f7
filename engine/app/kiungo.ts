// `npm run -s kiungo -- <command>`: commands that a person gives beside the engine, whether it runs or not.
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { systemClock } from './ambient.ts';
import type { Command } from './commands/command.ts';
import { ConfigError, readConfig } from './read-config.ts';

enableCompileCache(join(import.meta.dirname, '..', '..', '.cache', 'compiled'));

/** Only the one that is given is loaded. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  channels: async () => (await import('./commands/channels.ts')).channelsCommand,
  check: async () => (await import('./commands/check.ts')).checkCommand,
  compact: async () => (await import('./commands/compact.ts')).compactCommand,
  explain: async () => (await import('./commands/explain.ts')).explainCommand,
  messages: async () => (await import('./commands/messages.ts')).messagesCommand,
};

/** What came over the wire stands in what is said: nothing of it may steer the terminal. */
const steering = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;
const plain = (line: string): string => `${line.replace(steering, '\ufffd')}\n`;
const say = (line: string): void => void process.stdout.write(plain(line));

/** Files that a person names. */
const fileTroubles: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a part of this path is no folder',
  EISDIR: 'this is a folder, and a file is wanted',
  EACCES: 'you may not read or write this',
  EPERM: 'you may not read or write this',
  ENOSPC: 'the disk is full',
};

/** What a person can mend; undefined for a defect. */
function troubleOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof ConfigError || error.name === 'Refusal') return error.message;
  const { code = '', path } = error as NodeJS.ErrnoException;
  const trouble = Object.hasOwn(fileTroubles, code) ? fileTroubles[code] : undefined;
  return trouble === undefined || path === undefined ? undefined : `${path}: ${trouble}`;
}

async function help(): Promise<number> {
  say('npm run -s kiungo -- <command>');
  for (const load of Object.values(commands)) {
    const { usage, sentence } = await load();
    say(`  ${usage}\n      ${sentence}`);
  }
  return 2;
}

const [name = '', ...words] = process.argv.slice(2);
try {
  const command = Object.hasOwn(commands, name) ? await commands[name]?.() : undefined;
  process.exitCode =
    command === undefined
      ? await help()
      : await command.run({ config: readConfig(process.env, 'kiungo.yaml'), clock: systemClock, say }, words);
} catch (error) {
  const trouble = troubleOf(error);
  if (trouble === undefined) throw error;
  process.stderr.write(plain(trouble));
  process.exitCode = 2;
}
