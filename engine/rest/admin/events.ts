// The admin API for those who watch: counts and alerts as they change (server-sent events), and the alerts that stand.
import { formatInstant } from '../../fhir/instants.ts';
import type { HttpRoute } from '../../kernel/http-route.ts';
import type { Alert } from '../../messages/alert.ts';
import type { Alerts } from '../../messages/alerts.ts';
import type { Live } from '../../messages/live.ts';
import { admitNames } from './query.ts';

export interface EventRoutesOptions {
  readonly live: Live;
  readonly alerts: Pick<Alerts, 'current'>;
}

export function eventRoutes({ live, alerts }: EventRoutesOptions): readonly HttpRoute[] {
  return [
    {
      method: 'GET',
      path: '/admin/events',
      access: 'admin',
      // https://html.spec.whatwg.org/multipage/server-sent-events.html
      handle: async () => ({
        status: 200,
        headers: { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' },
        stream: live.watch(),
      }),
    },
    {
      method: 'GET',
      path: '/admin/alerts',
      access: 'admin',
      handle: async ({ query }) => {
        admitNames(query, []);
        const items = alerts.current().map(viewAlert);
        return { status: 200, body: { total: items.length, items } };
      },
    },
  ];
}

const viewAlert = ({ since, ...alert }: Alert): object => ({ ...alert, since: formatInstant(since) });
