// The ten lines that a person reads after the start. No secret is among them.

export interface Places {
  /** Without a trailing slash. */
  readonly publicUrl: string;
  readonly bind: string;
  /** undefined: somebody has stopped the channel `hl7`. */
  readonly mllpPort: number | undefined;
  readonly data: string;
  readonly credentials: string;
  readonly version: string;
}

const mllpPlace = ({ bind, mllpPort }: Places): string =>
  mllpPort === undefined ? 'closed: channel hl7 is stopped' : `mllp://${bind}:${mllpPort}`;

export function welcome(places: Places): string {
  return [
    `Kiungo ${places.version} is running.`,
    `  FHIR R4      ${places.publicUrl}/fhir/R4`,
    `  HL7 v2       ${mllpPlace(places)}`,
    `  Flow editor  ${places.publicUrl}/flows`,
    `  Sign-in      ${places.publicUrl}/sign-in`,
    `  Health       ${places.publicUrl}/health/ready`,
    `  Metrics      ${places.publicUrl}/metrics`,
    `  Data         ${places.data}`,
    `  The administrator's credentials lie in ${places.credentials}`,
    `  Ctrl-C stops it.`,
    '',
  ].join('\n');
}
