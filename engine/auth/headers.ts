// Request headers as Node gives them, names in lower case.
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The one value of a header; undefined where there is none or several. */
export function headerOf(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}
