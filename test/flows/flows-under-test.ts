// A real flows process, with a port in memory behind it and a real HTTP server in front of it.
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '../../engine/index.ts';
import { createFlowsSupervisor, type FlowsSupervisor } from '../../flows/supervisor.ts';
import { createMemoryPort, type MemoryPort } from './memory-port.ts';

export interface FlowsUnderTest {
  readonly supervisor: FlowsSupervisor;
  readonly port: MemoryPort;
  readonly userDir: string;
  readonly url: string;
  /** All that was logged. */
  readonly lines: string[];
  deploy(nodes: readonly object[]): Promise<void>;
  stop(): Promise<void>;
}

/** Short times, so that a test sees in a second what takes a minute in a hospital. */
const timing = {
  beatMs: 100,
  silenceMs: 1_500,
  restartMs: 50,
  pollMs: 200,
  commitMs: 300,
  drainMs: 1_500,
  stopMs: 3_000,
};

export async function startFlows(): Promise<FlowsUnderTest> {
  const userDir = mkdtempSync(join(tmpdir(), 'kiungo-flows-'));
  const port = createMemoryPort();
  const lines: string[] = [];
  const supervisor = createFlowsSupervisor({
    port,
    userDir,
    logger: keepLines(lines),
    clock: { now: Date.now },
    ids: { next: randomUUID, secret: (bytes) => randomBytes(bytes).toString('base64url') },
    credentialSecret: 'of-a-test',
    publicPath: '/flows',
    timing,
  });
  const server = createServer((request, response) => supervisor.handle(request, response, 'grace'));
  server.on('upgrade', (request, socket, head) => supervisor.upgrade(request, socket, head, 'grace'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await supervisor.start();

  return {
    supervisor,
    port,
    userDir,
    url,
    lines,
    async deploy(nodes) {
      const answer = await fetch(`${url}/flows/flows`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'node-red-deployment-type': 'full' },
        body: JSON.stringify(nodes),
      });
      if (answer.status !== 204) throw new Error(`deployment answered ${answer.status}`);
    },
    async stop() {
      await supervisor.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(userDir, { recursive: true, force: true });
    },
  };
}

function keepLines(lines: string[]): Logger {
  const keep = (facts: object, text: string): void => {
    lines.push(`${text} ${JSON.stringify(facts)}`);
  };
  const logger: Logger = { debug: keep, info: keep, warn: keep, error: keep, child: () => logger };
  return logger;
}

export async function until(claim: () => boolean, limitMs = 15_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!claim()) {
    if (Date.now() > end) throw new Error(`not within ${limitMs} ms: ${claim.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
