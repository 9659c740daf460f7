// Bodies by gzip: https://www.rfc-editor.org/rfc/rfc9110#section-8.4
import { request, type IncomingHttpHeaders } from 'node:http';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startServer, type RunningServer } from './running-server.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
  for (let page = 0; page < 20; page += 1) {
    const entry = Array.from({ length: 100 }, (_, place) => ({
      resource: {
        resourceType: 'Patient',
        name: [{ family: `Wanjikũ ${page * 100 + place}`, given: ['Amina'] }],
      },
      request: { method: 'POST', url: 'Patient' },
    }));
    await server.ask('', {
      method: 'POST',
      body: JSON.stringify({ resourceType: 'Bundle', type: 'batch', entry }),
    });
  }
  await server.ask('Patient/short', { method: 'PUT', body: '{"resourceType":"Patient","id":"short"}' });
});
afterAll(() => server.stop());

interface Raw {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
}

/** As it comes over the wire. */
function raw(path: string, accept: string | undefined, method = 'GET'): Promise<Raw> {
  const headers = { authorization: `Bearer ${server.token}`, ...(accept && { 'accept-encoding': accept }) };
  return new Promise((resolve, reject) => {
    request(`${server.fhir}/${path}`, { method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response
        .on('data', (chunk: Buffer) => void chunks.push(chunk))
        .once('error', reject)
        .once('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            bytes: Buffer.concat(chunks),
          }),
        );
    })
      .once('error', reject)
      .end();
  });
}

describe('an answer', () => {
  const pages: readonly (readonly [what: string, path: string])[] = [
    ['that has its length', 'Patient?_count=50'],
    ['that is streamed', 'Patient?_count=1000&_sort=family'],
    ['that is streamed as XML', 'Patient?_count=1000&_sort=family&_format=xml'],
    ['that is public', 'metadata'],
  ];
  test.each(pages)('%s is the same compressed, and less than half', async (_what, path) => {
    const plain = await raw(path, undefined);
    const { status, headers, bytes } = await raw(path, 'br, gzip;q=0.8');
    expect([status, headers['content-encoding'], headers.vary]).toEqual([
      200,
      'gzip',
      'accept-encoding, origin',
    ]);
    expect(bytes.length).toBeLessThan(plain.bytes.length / 2);
    expect(gunzipSync(bytes).equals(plain.bytes)).toBe(true);
  });

  test.each([
    ['to who does not ask for it', 'Patient?_count=50', 'identity'],
    ['to who refuses it', 'Patient?_count=50', 'gzip;q=0, *;q=0.5'],
    ['where it is short', 'Patient/short', 'gzip'],
  ])('comes as it is %s', async (_what, path, accept) => {
    const { headers, bytes } = await raw(path, accept);
    expect([headers['content-encoding'], headers['content-length']]).toEqual([
      undefined,
      String(bytes.length),
    ]);
  });

  test('to HEAD tells the length of what is there', async () => {
    const { headers } = await raw('Patient?_count=50', 'gzip', 'HEAD');
    const { bytes } = await raw('Patient?_count=50', undefined);
    expect([headers['content-encoding'], headers['content-length']]).toEqual([
      undefined,
      String(bytes.length),
    ]);
  });

  test('content of a Binary is never changed', async () => {
    const data = Buffer.from('{"a":1}'.repeat(2000));
    await server.ask('Binary/file', {
      method: 'PUT',
      body: data,
      headers: { 'content-type': 'application/vnd.hospital+json' },
    });
    const { headers, bytes } = await raw('Binary/file', 'gzip');
    expect([headers['content-encoding'], bytes.equals(data)]).toEqual([undefined, true]);
  });

  test('whose client goes away leaves the server as it was', async () => {
    await new Promise<void>((resolve) => {
      const headers = { authorization: `Bearer ${server.token}`, 'accept-encoding': 'gzip' };
      const asked = request(`${server.fhir}/Patient?_count=1000`, { headers }, (response) =>
        response.once('data', () => {
          asked.destroy();
          resolve();
        }),
      );
      asked.on('error', () => undefined).end();
    });
    expect((await raw('Patient/short', 'gzip')).status).toBe(200);
    expect(server.defects).toEqual([]);
  });
});

describe('a request', () => {
  const gzipped = { 'content-encoding': 'gzip' };
  const patient = (id: string): string =>
    JSON.stringify({ resourceType: 'Patient', id, name: [{ family: 'Wanjikũ'.repeat(1000) }] });

  test.each([
    ['a resource', 'Patient/zip', { method: 'PUT', body: gzipSync(patient('zip')) }, 201],
    [
      'a transaction',
      '',
      {
        method: 'POST',
        body: gzipSync(
          JSON.stringify({
            resourceType: 'Bundle',
            type: 'transaction',
            entry: [
              {
                resource: JSON.parse(patient('in')) as object,
                request: { method: 'PUT', url: 'Patient/in' },
              },
            ],
          }),
        ),
      },
      200,
    ],
  ])('may bring %s compressed', async (_what, path, init, status) => {
    const response = await server.ask(path, { ...init, headers: gzipped });
    expect(response.status).toBe(status);
    const id = path === '' ? 'in' : 'zip';
    expect(await (await server.ask(`Patient/${id}`)).json()).toMatchObject(JSON.parse(patient(id)) as object);
  });
});
