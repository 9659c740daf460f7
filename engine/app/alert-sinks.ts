// Where alerts are told: each sink is a sender and the form in which it is told. A further one (SMS) is one more entry.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createEmailSender } from '../../adapters/email/email-sender.ts';
import { createHttpSender } from '../../adapters/http/sender.ts';
import { formatInstant } from '../fhir/instants.ts';
import { badRequest } from '../kernel/outcomes.ts';
import type { AlertChange } from '../messages/alerts.ts';
import type { Sender } from '../messages/ports.ts';
import type { NewDelivery } from '../storage/message-store.ts';
import type { Config } from './read-config.ts';

export interface AlertSink {
  /** The outbox's name for it. */
  readonly name: string;
  readonly sender: Sender;
  readonly render: (
    changes: readonly AlertChange[],
    now: number,
  ) => Pick<NewDelivery, 'contentType' | 'payload'>;
}

/** Those that the settings name. */
export const alertSinks = (config: Config): readonly AlertSink[] => [
  ...webhookOf(config),
  ...emailOf(config),
];

function webhookOf({ alertWebhook: url }: Config): readonly AlertSink[] {
  if (url === undefined) return [];
  return [{ name: 'alerts', sender: createHttpSender({ url }), render: asJson }];
}

function asJson(changes: readonly AlertChange[], now: number): ReturnType<AlertSink['render']> {
  const told = changes.map(({ change, alert: { since, ...alert } }) => ({
    change,
    ...alert,
    since: formatInstant(since),
  }));
  const payload = Buffer.from(JSON.stringify({ at: formatInstant(now), changes: told }));
  return { contentType: 'application/json', payload };
}

function emailOf(config: Config): readonly AlertSink[] {
  const { alertEmail: to, smtpUrl, smtpFrom: from } = config;
  if (to === undefined || smtpUrl === undefined || from === undefined) return [];
  const { protocol, hostname: host, port, username, password } = new URL(smtpUrl);
  const sender = createEmailSender({
    ...{ host, from, to, secure: protocol === 'smtps:' },
    ...(port === '' ? {} : { port: Number(port) }),
    ...(username === ''
      ? {}
      : {
          user: decodeURIComponent(username),
          password: () => (password === '' ? smtpSecret(config) : decodeURIComponent(password)),
        }),
  });
  return [{ name: 'alerts-email', sender, render: (changes) => asText(changes, config) }];
}

/** So that the password need not stand among the settings. */
function smtpSecret({ data }: Config): string {
  const file = join(data, 'secrets', 'smtp');
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw badRequest(`the password of the mail server is missing: put it in the file ${file}`);
  }
}

const words = { raised: 'Begun', over: 'Over' } as const;

/** The first line is the subject; nothing in it comes from a message. */
function asText(changes: readonly AlertChange[], { timeZone }: Config): ReturnType<AlertSink['render']> {
  const time = new Intl.DateTimeFormat('en-GB', { timeZone, dateStyle: 'medium', timeStyle: 'short' });
  const raised = changes.filter(({ change }) => change === 'raised').length;
  const subject = `Kiungo: ${raised} begun, ${changes.length - raised} over`;
  const lines = changes.map(
    ({ change, alert: { code, subject: about, text, since } }) =>
      `${words[change]}: ${about}: ${text} (${code}, since ${time.format(since)})`,
  );
  return {
    contentType: 'text/plain; charset=utf-8',
    payload: Buffer.from([subject, '', ...lines, ''].join('\n')),
  };
}
