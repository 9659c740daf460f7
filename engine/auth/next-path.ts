// Where a person goes after sign-in: a place on this site, whatever the link said.

/** The path, query and fragment in `next` when it lies on this site and is more than its root, otherwise `home`. */
export function nextPath(next: string | null | undefined, home: string): string {
  const here = 'http://here.invalid';
  if (next === null || next === undefined || !URL.canParse(next, here)) return home;
  const url = new URL(next, here);
  const path = `${url.pathname}${url.search}${url.hash}`;
  // `/\evil` and `//evil` are other hosts to a browser; after parsing they are other origins, or paths that begin so.
  const isOurs = url.origin === here && next.startsWith('/') && !path.startsWith('//');
  return isOurs && path !== '/' ? path : home;
}
