// `npm run -s kiungo -- <command>`: commands that a person gives beside the engine, whether it runs or not.
import { channelsCommand } from './commands/channels.ts';
import { checkCommand } from './commands/check.ts';
import type { Command } from './commands/command.ts';
import { compactCommand } from './commands/compact.ts';
import { explainCommand } from './commands/explain.ts';
import { systemClock } from './ambient.ts';
import { ConfigError, readConfig } from './read-config.ts';

const commands: Readonly<Record<string, Command>> = {
  channels: channelsCommand,
  check: checkCommand,
  compact: compactCommand,
  explain: explainCommand,
};

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function help(): number {
  say('npm run -s kiungo -- <command>');
  for (const { usage, sentence } of Object.values(commands)) say(`  ${usage}\n      ${sentence}`);
  return 2;
}

const [name = '', ...words] = process.argv.slice(2);
try {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  process.exitCode =
    command === undefined
      ? help()
      : await command.run({ config: readConfig(process.env, 'kiungo.yaml'), clock: systemClock, say }, words);
} catch (error) {
  if (!(error instanceof ConfigError) && (error as Error).name !== 'Refusal') throw error;
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 2;
}
