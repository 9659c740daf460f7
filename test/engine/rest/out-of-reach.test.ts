// What a token of few rights may not learn or do by a Bundle that says less than it means: each entry is looked at as it will be carried out.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle } from '@medplum/fhirtypes';
import type { HttpRoute } from '../../../engine/kernel/http-route.ts';
import { startServer, type RunningServer } from './running-server.ts';

/** As the admin routes show messages, payloads, and what receivers have answered: in the words and the type of whoever wrote them. */
const sayingHtml: HttpRoute = {
  method: 'GET',
  path: '/said',
  access: 'signed-in',
  handle: async () => ({
    status: 200,
    headers: { 'content-type': 'text/html' },
    body: '<script>fetch("/admin/messages")</script>',
  }),
};

let server: RunningServer;
let reader: string;
let patients: string;

beforeAll(async () => {
  server = await startServer({ trustedProxies: ['127.0.0.1'], routes: [sayingHtml] });
  reader = `Bearer ${await server.tokenOf('reader')}`;
  patients = `Bearer ${await server.tokenOf('patients')}`;
  for (const resource of [
    { resourceType: 'Patient', id: 'p', birthDate: '1980-01-01' },
    { resourceType: 'Organization', id: 'o', name: 'Hidden' },
    {
      resourceType: 'Observation',
      id: 'x',
      status: 'final',
      code: { text: 'x' },
      subject: { reference: 'Patient/p' },
    },
  ]) {
    await server.ask(`${resource.resourceType}/${resource.id}`, {
      method: 'PUT',
      body: JSON.stringify(resource),
    });
  }
});
afterAll(() => server.stop());

/** The status of the one entry: of a transaction it is that of the whole. */
const post = async (
  type: 'batch' | 'transaction',
  entry: object,
  headers: Record<string, string>,
): Promise<number> => {
  const body = JSON.stringify({ resourceType: 'Bundle', type, entry: [entry] });
  const response = await server.ask('', { method: 'POST', body, headers });
  const answer = (await response.json()) as Bundle;
  const [own] = answer.entry ?? [];
  return type === 'batch' ? Number.parseInt(own?.response?.status ?? '', 10) : response.status;
};

const patch = (content: object, url = 'Patient/p') => ({
  resource: {
    resourceType: 'Binary',
    contentType: 'application/merge-patch+json',
    data: Buffer.from(JSON.stringify(content)).toString('base64'),
  },
  request: { method: 'PATCH', url },
});

describe('entries that are not within the scopes', () => {
  test.each(['batch', 'transaction'] as const)(
    'are found in a %s by a whole url too, by whatever address the request came',
    async (type) => {
      const entry = { request: { method: 'GET', url: `${server.fhir}/Patient/p` } };
      const forwarded = { 'x-forwarded-host': 'elsewhere.example', 'x-forwarded-proto': 'https' };
      expect(await post(type, entry, { authorization: reader })).toBe(403);
      expect(await post(type, entry, { authorization: reader, ...forwarded })).toBe(403);
    },
  );

  test.each(['Hidden', 'Unknown'])(
    'are found in a patch that asks for an Organization named %s, inside its Binary',
    async (name) => {
      const asking = { managingOrganization: { reference: `Organization?name=${name}` } };
      expect(await post('transaction', patch(asking), { authorization: patients })).toBe(403);
    },
  );

  test('are found behind a reference that cannot be read', async () => {
    const resource = { resourceType: 'Patient', link: [{ other: { reference: 'Patient?nonsense=1' } }] };
    const request = { method: 'PUT', url: 'Patient?_has:Observation:patient:status=final' };
    expect(await post('transaction', { resource, request }, { authorization: patients })).toBe(403);
  });

  test('do not stand in the way of a patch that stays within them', async () => {
    const link = { link: [{ type: 'seealso', other: { reference: 'Patient?birthdate=1980-01-01' } }] };
    expect(await post('transaction', patch(link), { authorization: patients })).toBe(200);
  });
});

describe('what somebody else wrote', () => {
  test.each(['/said', '/fhir/R4/Patient/p', '/fhir/R4/Patient/none', '/health/live', '/nowhere'])(
    '%s: runs nothing in a browser, and is shown within no other page',
    async (path) => {
      const response = await server.ask(path);
      const policy = response.headers.get('content-security-policy') ?? '';
      for (const rule of [
        "default-src 'none'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
      ]) {
        expect(policy).toContain(rule);
      }
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    },
  );
});
