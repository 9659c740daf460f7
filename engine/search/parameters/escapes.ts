// Values as they are written in a search URL: `,` `|` `$` and `\` are escaped by a backslash.
// https://hl7.org/fhir/R4/search.html#escaping

/** Splits at each separator that is not escaped; the parts keep their escapes. */
export function splitEscaped(text: string, separator: ',' | '|' | '$'): readonly string[] {
  if (!text.includes('\\')) return text.split(separator);
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === separator) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, text.slice(start)];
}

/** Takes the escapes away. */
export const unescaped = (text: string): string =>
  text.includes('\\') ? text.replaceAll(/\\([,|$\\])/g, '$1') : text;
