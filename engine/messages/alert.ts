// What somebody has to know, and of what.

export interface Alert {
  readonly code:
    | 'silence'
    | 'waiting-long'
    | 'queue-long'
    | 'many-dead'
    | 'error-rate'
    | 'connection-lost'
    | 'retries-used-up'
    | 'held'
    | 'channel-gone'
    | 'certificate-unusable'
    | 'certificate-ends';
  /** A channel, or a destination. */
  readonly subject: string;
  readonly text: string;
  readonly since: number;
}

/** What a part that looks after itself wants somebody to know, as long as it stands. */
export type Concern = Omit<Alert, 'since'>;

export const concern = (code: Alert['code'], subject: string, text: string): Concern => ({
  ...{ code, subject, text },
});

/** There is one alert of a code about a subject. */
export const alertKey = ({ code, subject }: Pick<Alert, 'code' | 'subject'>): string => `${code} ${subject}`;
