// GET /: closed to strangers, and of use to who is signed in.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startPageRoute } from '../../../engine/rest/start-page.ts';
import { password, startServer, type RunningServer } from './running-server.ts';

let server: RunningServer;
beforeAll(async () => void (server = await startServer({ routes: [startPageRoute] })));
afterAll(() => server.stop());

async function pageOf(name: string): Promise<string> {
  const body = new URLSearchParams({ name, password });
  const signedIn = await fetch(`${server.url}/sign-in`, { method: 'POST', body, redirect: 'manual' });
  expect(signedIn.headers.get('location')).toBe('/');
  const cookie = (signedIn.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const page = await fetch(`${server.url}/`, { headers: { cookie } });
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  return page.text();
}

describe('the start page', () => {
  test('leads a browser that is not signed in to sign-in', async () => {
    const answer = await fetch(`${server.url}/`, { redirect: 'manual', headers: { accept: 'text/html' } });
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/sign-in?next=%2F']);
  });

  test('shows an administrator the flows, and what waits for a person', async () => {
    const page = await pageOf('amina');
    expect(page).toContain('href="/flows/"');
    expect(page).toContain('href="/admin/messages?state=dead"');
    expect(page).toContain('action="/sign-out"');
  });

  test('shows others only what is open to them', async () => {
    const page = await pageOf('nurse');
    expect(page).toContain('href="/fhir/R4/metadata');
    expect(page).not.toContain('/admin/');
  });
});
