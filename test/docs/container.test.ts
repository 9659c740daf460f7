// The image and its compose file agree with the project: the Node, the settings, the time that a stop may take.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { settings } from '../../engine/app/config.ts';

const dockerfile = readFileSync('Dockerfile', 'utf8');
const compose = parse(readFileSync('docker-compose.yml', 'utf8')) as {
  readonly services: {
    readonly kiungo: {
      readonly environment: Readonly<Record<string, string>>;
      readonly ports: readonly string[];
      readonly stop_grace_period: string;
    };
  };
};
const { kiungo } = compose.services;

describe('the image', () => {
  test('has the Node that the project is tested with', () => {
    const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      dependencies: Record<string, string>;
    };
    expect(/^ARG NODE=node:([\d.]+)-/m.exec(dockerfile)?.[1]).toBe(dependencies['node']);
  });

  test('runs as nobody who may change its code', () => {
    const [, afterUser = ''] = dockerfile.split(/^USER node$/m);
    expect(afterUser).toMatch(/^CMD \["node", (?:"--[a-z-]+=\d+", )*"engine\/app\/main\.ts"\]$/m);
    expect(dockerfile).not.toMatch(/chown/);
  });

  test('has every folder that it copies among the files that are sent to the build', () => {
    const sent = readFileSync('.dockerignore', 'utf8').split('\n');
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, files = '']) =>
      files.split(' '),
    );
    expect(copied.length).toBeGreaterThan(5);
    expect(copied.filter((file) => !sent.includes(`!${file}`))).toEqual([]);
  });
});

describe('the compose file', () => {
  test('sets only settings that there are', () => {
    const known = new Set<string>(Object.values(settings).map(({ name }) => name));
    const named = [...Object.keys(kiungo.environment), ...(dockerfile.match(/KIUNGO_[A-Z_]+/g) ?? [])];
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  test('opens ports on this machine only', () => {
    expect(kiungo.ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  test('gives the engine the time that it takes to stop', () => {
    const limit = /stopLimitMs = ([\d_]+)/.exec(readFileSync('engine/app/run-process.ts', 'utf8'))?.[1] ?? '';
    expect(Number.parseInt(kiungo.stop_grace_period, 10) * 1000).toBeGreaterThan(
      Number(limit.replaceAll('_', '')),
    );
  });
});
