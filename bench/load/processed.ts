// How many messages the engine has worked on so far, as its counts say.
import type { MeasuredEngine } from '../engine.ts';

export async function processedBy(engine: MeasuredEngine, token: string): Promise<number> {
  const url = `http://127.0.0.1:${engine.port}/admin/messages?state=processed&_count=1`;
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  return ((await response.json()) as { readonly total: number }).total;
}

/** Waits until so many are, within a limit; answers how many. */
export async function untilProcessed(
  engine: MeasuredEngine,
  token: string,
  count: number,
  limitMs: number,
): Promise<number> {
  const end = performance.now() + limitMs;
  for (;;) {
    const total = await processedBy(engine, token);
    if (total >= count || performance.now() > end) return total;
    await new Promise((wait) => setTimeout(wait, 100));
  }
}
