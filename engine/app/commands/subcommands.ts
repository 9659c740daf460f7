// A command made of several: a table of them, their options read and checked before they run, and the help that the table gives.
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { badRequest } from '../../kernel/outcomes.ts';
import type { Command, CommandParts } from './command.ts';
import { reachEngine, type EngineClient } from './engine-client.ts';

/** Options as they were given; a switch is `true`. */
export type Given = Readonly<Record<string, string | boolean | undefined>>;

export interface Asked extends CommandParts {
  readonly words: readonly string[];
  readonly given: Given;
  /** Writes a value for scripts. */
  readonly sayJson: (value: unknown) => void;
}

interface Described {
  /** What follows its name. */
  readonly usage: string;
  readonly sentence: string;
  /** How many words it takes, at least and at most. */
  readonly takes: readonly [least: number, most: number];
  readonly options?: ParseArgsOptionsConfig;
}

/** One that works beside the engine. */
interface Beside extends Described {
  readonly run: (asked: Asked) => Promise<number>;
}

/** One that asks the running engine. */
interface Asking extends Described {
  readonly ask: (engine: EngineClient, asked: Asked) => Promise<number>;
}

export type Subcommand = Beside | Asking;

const always = { json: { type: 'boolean' }, help: { type: 'boolean' } } as const;
const ofEngine = { url: { type: 'string' } } as const;

/** `kiungo <name> <subcommand> …`; without one, or with `--help`, it tells which there are. */
export function commandOf(
  name: string,
  sentence: string,
  subcommands: Readonly<Record<string, Subcommand>>,
): Command {
  const usage = `${name} ${Object.keys(subcommands).join('|')}`;
  return {
    usage,
    sentence,
    run: async (parts, [what = '', ...rest]) => {
      const subcommand = Object.hasOwn(subcommands, what) ? subcommands[what] : undefined;
      if (subcommand === undefined) {
        help(name, subcommands, parts);
        return what === '--help' ? 0 : 2;
      }
      const { positionals: words, values: given } = read(subcommand, rest);
      const [least, most] = subcommand.takes;
      if (given['help'] === true || words.length < least || words.length > most) {
        help(name, { [what]: subcommand }, parts);
        return given['help'] === true ? 0 : 2;
      }
      const sayJson = (value: unknown): void => parts.say(JSON.stringify(value, null, 2));
      const asked: Asked = { ...parts, words, given, sayJson };
      if ('run' in subcommand) return subcommand.run(asked);
      return subcommand.ask(await reachEngine(parts.config, text(given, 'url')), asked);
    },
  };
}

function read(
  subcommand: Subcommand,
  args: readonly string[],
): { readonly positionals: readonly string[]; readonly values: Given } {
  const options = { ...always, ...('ask' in subcommand ? ofEngine : {}), ...subcommand.options };
  try {
    const { positionals, values } = parseArgs({ args: [...args], options, allowPositionals: true });
    return { positionals, values };
  } catch (error) {
    throw badRequest((error as Error).message.split('. ', 1)[0] ?? 'an option is wrong');
  }
}

function help(name: string, subcommands: Readonly<Record<string, Subcommand>>, { say }: CommandParts): void {
  for (const [what, { usage, sentence, options = {} }] of Object.entries(subcommands)) {
    const named = Object.entries(options).map(([option, { type }]) =>
      type === 'boolean' ? `[--${option}]` : `[--${option} …]`,
    );
    say(['kiungo', name, what, usage, ...named].filter((part) => part !== '').join(' '));
    say(`    ${sentence}`);
  }
  say('With --json for scripts. --url names an engine elsewhere; otherwise it is the one of KIUNGO_DATA.');
}

/** An option's text; undefined where it was not given. */
export function text(given: Given, name: string): string | undefined {
  const value = given[name];
  return typeof value === 'string' ? value : undefined;
}

/** A query of what is given, without what is not; with its question mark. */
export function queryOf(parameters: Readonly<Record<string, string | undefined>>): string {
  const there = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as [string, string]],
  );
  return there.length === 0 ? '' : `?${new URLSearchParams(there).toString()}`;
}
