// The few pages that the engine shows itself: plain HTML that works without script, on a phone, and with a screen reader.
import { createHash } from 'node:crypto';
import type { HttpAnswer } from '../kernel/http-route.ts';

const style = `
:root { color-scheme: light dark; font: 1.05rem/1.5 system-ui, sans-serif }
body { margin: 0; display: grid; place-items: center; min-height: 100vh }
main { width: min(22rem, 90vw) }
label { display: block; margin-top: 1rem }
input, button { box-sizing: border-box; width: 100%; padding: .7rem; font: inherit; border: 1px solid; border-radius: .4rem }
button { margin-top: 1.5rem; background: #0b5563; color: #fff; border-color: #0b5563 }
[role=alert] { border-left: .3rem solid #b3261e; padding-left: .8rem }
`;
const styleHash = createHash('sha256').update(style).digest('base64');

const headers = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy':
    `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; ` +
    `frame-ancestors 'none'; base-uri 'none'`,
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
} as const;

export interface Page {
  readonly status: number;
  readonly title: string;
  /** HTML; what comes from outside has gone through `escapeHtml`. */
  readonly main: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function htmlPage({ status, title, main, headers: more }: Page): HttpAnswer {
  const body = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>${style}</style></head>
<body><main><h1>Kiungo</h1>${main}</main></body></html>
`;
  return { status, headers: { ...headers, ...more }, body };
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (mark) => entities[mark] ?? mark);
