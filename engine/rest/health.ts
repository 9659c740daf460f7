// GET /health/live: the process answers. GET /health/ready: it can do its work. Both are open, and say no more than that.
import type { HttpAnswer, HttpRoute } from '../kernel/http-route.ts';

/** Part → whether it works. */
export type Readiness = Readonly<Record<string, boolean>>;

export function healthRoutes(
  ready: () => Promise<Readiness>,
  beside: () => Readiness,
  stopping: () => boolean,
): readonly HttpRoute[] {
  return [
    { method: 'GET', path: '/health/live', access: 'public', handle: async () => status(true, {}) },
    {
      method: 'GET',
      path: '/health/ready',
      access: 'public',
      handle: async () => {
        const parts = await ready();
        return status(!stopping() && Object.values(parts).every(Boolean), { ...parts, ...beside() });
      },
    },
  ];
}

function status(up: boolean, parts: Readiness): HttpAnswer {
  const checks = Object.fromEntries(
    Object.entries(parts).map(([name, works]) => [name, works ? 'up' : 'down']),
  );
  return { status: up ? 200 : 503, body: { status: up ? 'up' : 'down', checks } };
}
