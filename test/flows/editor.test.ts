// The way to the editor: through the engine only, and without what proves the sign-in.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { keyHeader, userHeader } from '../../flows/door.ts';
import { createEditorServer } from '../../flows/inside/editor-server.ts';
import { createEditorProxy } from '../../flows/outside/proxy.ts';
import { startFlows, until, type FlowsUnderTest } from './flows-under-test.ts';

const key = 'the-key-of-this-start';

describe('the inner door', () => {
  test.each([
    { given: {}, status: 403 },
    { given: { [keyHeader]: 'another' }, status: 403 },
    { given: { [keyHeader]: key }, status: 200 },
  ])('$given answers $status', async ({ given, status }) => {
    const inner = createEditorServer(key, '/flows');
    const port = await inner.listen((_request, response) => response.end('editor'));
    const answer = await fetch(`http://127.0.0.1:${port}/flows/`, {
      headers: given as Record<string, string>,
    });
    expect(answer.status).toBe(status);
    inner.close();
  });

  test('opens no WebSocket without the key', async () => {
    const inner = createEditorServer(key, '/flows');
    let upgrades = 0;
    inner.inner.on('upgrade', () => (upgrades += 1));
    const port = await inner.listen(() => undefined);
    const knock = request({
      port,
      path: '/flows/comms',
      headers: { connection: 'upgrade', upgrade: 'websocket' },
    });
    knock.end();
    await once(knock, 'error');
    expect(upgrades).toBe(0);
    inner.close();
  });
});

describe('the proxy', () => {
  let seen: IncomingMessage | undefined;
  let behind: Server;
  let front: Server;
  const at = (server: Server): number => (server.address() as AddressInfo).port;
  beforeAll(async () => {
    behind = createServer((given, response) => {
      seen = given;
      response.setHeader('set-cookie', 'a=b').end('from the editor');
    }).listen(0, '127.0.0.1');
    await once(behind, 'listening');
    const proxy = createEditorProxy();
    front = createServer((given, response) =>
      proxy.handle({ port: at(behind), key }, 'Grace Wambûi\r\nx: y', given, response),
    ).listen(0, '127.0.0.1');
    await once(front, 'listening');
  });
  afterAll(() => {
    behind.close();
    front.close();
  });

  test('hands on the key and the name, and neither cookies nor tokens', async () => {
    const answer = await fetch(`http://127.0.0.1:${at(front)}/flows/settings?x=1`, {
      headers: { cookie: 'session=1', authorization: 'Bearer 1', [keyHeader]: 'mine', [userHeader]: 'root' },
    });
    expect(await answer.text()).toBe('from the editor');
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect(seen?.url).toBe('/flows/settings?x=1');
    expect(seen?.headers.cookie).toBeUndefined();
    expect(seen?.headers.authorization).toBeUndefined();
    expect(seen?.headers[keyHeader]).toBe(key);
    expect(seen?.headers[userHeader]).toBe('Grace Wamb?i??x: y');
  });
});

describe('the editor', () => {
  let flows: FlowsUnderTest;
  beforeAll(async () => {
    flows = await startFlows();
    await until(() => flows.supervisor.ready(), 25_000);
  });
  afterAll(async () => {
    await flows.stop();
  });

  test('is served under its path, and knows who is there', async () => {
    const [page, settings] = await Promise.all(
      ['/flows', '/flows/settings'].map(async (path) => fetch(flows.url + path)),
    );
    expect(page!.url).toBe(`${flows.url}/flows/`);
    expect(await page!.text()).toContain('<title>Kiungo flows</title>');
    expect(await settings!.json()).toMatchObject({ user: { username: 'grace' }, telemetryEnabled: false });
  });

  test('has no node that reaches the machine or the network', async () => {
    const answer = await fetch(`${flows.url}/flows/nodes`, { headers: { accept: 'application/json' } });
    const sets = (await answer.json()) as readonly {
      readonly types: readonly string[];
      readonly err?: string;
    }[];
    const types = sets.flatMap((set) => set.types);
    expect(sets.filter(({ err }) => err !== undefined)).toEqual([]);
    expect(types).toEqual(
      expect.arrayContaining(['fhir event', 'hl7 in', 'fhir read', 'fhir write', 'send', 'function']),
    );
    for (const type of [
      'exec',
      'file',
      'file in',
      'watch',
      'http in',
      'http request',
      'tcp in',
      'udp in',
      'mqtt in',
    ]) {
      expect(types).not.toContain(type);
    }
  });

  test('installs nothing', async () => {
    const answer = await fetch(`${flows.url}/flows/nodes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"module":"node-red-contrib-x"}',
    });
    expect(answer.status).toBeGreaterThanOrEqual(400);
  });

  test('has its WebSocket', async () => {
    const socket = new WebSocket(`${flows.url.replace('http', 'ws')}/flows/comms`);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    socket.send('{"subscribe":"status/#"}');
    const message = await new Promise<string>(
      (resolve) => (socket.onmessage = ({ data }) => resolve(String(data))),
    );
    expect(message).toContain('status/');
    socket.close();
  });
});
