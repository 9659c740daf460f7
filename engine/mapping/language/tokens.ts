// Cuts an expression of the map language into words.
export type Token =
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'path'; readonly text: string }
  | { readonly kind: 'variable'; readonly text: string }
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'mark'; readonly text: string };

/** Tried in this order at each place. */
const kinds = [
  ['string', /'((?:[^']|'')*)'/y],
  ['path', /(?:[a-z][A-Za-z]*\/)*[A-Z][A-Z0-9]{2}-\d+(?:\[(?:\d+|\*)\])?(?:\.(?:\*|\d+(?:\.\d+)?))?/y],
  ['path', /\.(?:\*|\d+(?:\.\d+)?)/y],
  ['variable', /\$([A-Za-z][A-Za-z0-9]*)/y],
  ['word', /(?=[\w-]*[A-Za-z])[A-Za-z0-9][\w-]*/y],
  ['number', /-?\d+(?:\.\d+)?/y],
  ['mark', /\?\?|!=|<=|>=|[&|()=<>,]/y],
] as const;

/** Throws SyntaxError for text that is no word of the language. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = skipSpace(text, 0); at < text.length; at = skipSpace(text, at)) {
    const found = tokenAt(text, at);
    if (found === undefined) throw new SyntaxError(`not understood at "${text.slice(at, at + 20)}"`);
    tokens.push(found.token);
    at = found.end;
  }
  return tokens;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (/\s/.test(text.charAt(at))) at++;
  return at;
}

function tokenAt(text: string, at: number): { token: Token; end: number } | undefined {
  for (const [kind, pattern] of kinds) {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found === null) continue;
    const inner = kind === 'string' ? (found[1] ?? '').replaceAll("''", "'") : (found[1] ?? found[0]);
    return { token: { kind, text: inner }, end: pattern.lastIndex };
  }
  return undefined;
}
