// Where the engine of a data folder answers, written down while it runs: so that a command beside it finds it, whatever port it took.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unavailable } from '../kernel/outcomes.ts';
import type { Config } from './read-config.ts';

const fileOf = (data: string): string => join(data, 'running.json');

/** Addresses that mean "any" to a listener are reached at the machine itself. */
const reachable: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

function localUrl(bind: string, port: number): string {
  const host = reachable[bind] ?? bind;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** `port`: the one that HTTP is answered on. */
export function noteRunning({ data, bind }: Pick<Config, 'data' | 'bind'>, port: number): void {
  const note = { url: localUrl(bind, port) };
  writeFileSync(fileOf(data), `${JSON.stringify(note)}\n`, { mode: 0o600 });
}

export const noteStopped = (data: string): void => rmSync(fileOf(data), { force: true });

/**
 * The address of the engine of this data folder: what it wrote down, or else what the settings say.
 * @throws Refusal `unavailable` where neither tells the port.
 */
export function runningUrl({ data, bind, httpPort }: Pick<Config, 'data' | 'bind' | 'httpPort'>): string {
  const file = fileOf(data);
  if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { readonly url: string }).url;
  if (httpPort !== 0) return localUrl(bind, httpPort);
  throw unavailable(`no engine runs over ${data}: start it, set KIUNGO_DATA, or name one with --url`);
}
