// GET /: where a person finds everything, once signed in.
import { htmlPage } from '../auth/html-page.ts';
import { adminScope } from '../auth/scopes.ts';
import type { HttpRoute } from '../kernel/http-route.ts';
import { fhirPath } from './interaction.ts';

interface Link {
  readonly to: string;
  readonly text: string;
}

const forAll: readonly Link[] = [
  { to: `${fhirPath}/metadata?_pretty=true`, text: 'What can be asked: the CapabilityStatement' },
  { to: '/health/ready', text: 'Health' },
];
const forAdministrators: readonly Link[] = [
  { to: '/flows/', text: 'Flows: the editor' },
  { to: '/admin/messages?state=dead', text: 'Messages that wait for a person' },
  { to: '/admin/deliveries?state=dead', text: 'Deliveries and events that wait for a person' },
  { to: '/admin/messages', text: 'All kept messages' },
  { to: '/admin/mappings', text: 'Maps' },
  { to: '/metrics', text: 'Metrics' },
];

const item =
  (root: string) =>
  ({ to, text }: Link): string =>
    `<li><a href="${root}${to}">${text}</a></li>`;

export const startPageRoute: HttpRoute = {
  method: 'GET',
  path: '/',
  access: 'signed-in',
  handle: async ({ actor, root = '' }) => {
    const links = [...(actor.scopes.includes(adminScope) ? forAdministrators : []), ...forAll];
    const main = `<ul>${links.map(item(root)).join('')}</ul>
<form method="post" action="${root}/sign-out"><button type="submit">Sign out</button></form>`;
    return htmlPage({ status: 200, title: 'Kiungo', main });
  },
};
