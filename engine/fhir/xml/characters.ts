// Characters of XML: https://www.w3.org/TR/xml/#charsets

export const fhirNamespace = 'http://hl7.org/fhir';
export const xhtmlNamespace = 'http://www.w3.org/1999/xhtml';

const outside = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
const special = /[&<>"\t\n\r]/g;

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** The text as it may stand between double quotes; line ends survive. undefined where it holds what XML does not allow. */
export const escapeAttribute = (text: string): string | undefined =>
  outside.test(text) ? undefined : text.replace(special, (found) => escapes[found] ?? found);
