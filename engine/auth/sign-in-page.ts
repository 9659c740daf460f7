// The sign-in page.
import type { HttpAnswer } from '../kernel/http-route.ts';
import { escapeHtml, htmlPage } from './html-page.ts';

export interface SignInPlace {
  /** Where it leads, as a path of ours. */
  readonly next: string;
  /** What stands before our paths as the browser sees them. */
  readonly root: string;
}

/** `alert`: what went wrong the last time, in words that give nothing away. */
export function signInPage(
  status: number,
  { next, root }: SignInPlace,
  alert?: string,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  const said = alert === undefined ? '' : `<p role="alert">${escapeHtml(alert)}</p>`;
  const main = `${said}
<form method="post" action="${escapeHtml(root)}/sign-in">
<input type="hidden" name="next" value="${escapeHtml(next)}">
<label for="name">Name</label>
<input id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button type="submit">Sign in</button>
</form>`;
  return htmlPage({ status, title: 'Sign in – Kiungo', main, headers });
}
