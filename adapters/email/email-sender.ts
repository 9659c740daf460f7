// Hands deliveries out as e-mail, one a delivery, over one SMTP server. https://www.rfc-editor.org/rfc/rfc5321
import type { Transporter } from 'nodemailer';
import type { RetryClass, Sender, SendResult } from '../../engine/index.ts';

export interface EmailSenderOptions {
  readonly host: string;
  /** 587 unless told, 465 with `secure`. */
  readonly port?: number;
  /** TLS from the first byte; otherwise by STARTTLS where the server has it, and always before a password. */
  readonly secure?: boolean;
  readonly user?: string;
  /** Asked at each connection: it may change. */
  readonly password?: () => string;
  readonly from: string;
  readonly to: readonly string[];
  /** For each answer of the server. Default 30 s. */
  readonly answerTimeoutMs?: number;
}

const reasons = {
  'email-no-connection':
    'no connection to the mail server, or none that is safe; see that it is on and reachable',
  'email-not-signed-in': 'the mail server does not take the user and the password; mend the secret',
  'email-put-off': 'the mail server does not take the mail now',
  'email-refused': 'the mail server refuses the mail; see its sender and its receivers',
} as const;

/**
 * The payload is a text whose first line is the subject. The delivery's id names the mail, so that one that is sent again can be known. No
 * failure is told with what the mail says.
 */
export function createEmailSender(options: EmailSenderOptions): Sender {
  return {
    send: async ({ id, payload }) => {
      const text = Buffer.from(payload).toString('utf8');
      const [subject = ''] = text.split('\n', 1);
      const transport = await connected(options);
      try {
        await transport.sendMail({
          from: options.from,
          to: [...options.to],
          subject,
          text: text.slice(subject.length).trimStart(),
          messageId: `<${id}@${domainOf(options.from)}>`,
          // Nobody's out-of-office notice is to answer it: RFC 3834.
          headers: { 'auto-submitted': 'auto-generated' },
        });
        return { state: 'done' };
      } catch (error) {
        return failureOf(error);
      } finally {
        transport.close();
      }
    },
    close: async () => undefined,
  };
}

/** Only who sends mail pays for the library. */
async function connected(options: EmailSenderOptions): Promise<Transporter> {
  const { host, port, secure = false, user, password, answerTimeoutMs = 30_000 } = options;
  const { createTransport } = await import('nodemailer');
  return createTransport({
    ...{ host, secure, port: port ?? (secure ? 465 : 587) },
    ...(user === undefined ? {} : { auth: { user, pass: password?.() ?? '' }, requireTLS: !secure }),
    connectionTimeout: answerTimeoutMs,
    greetingTimeout: answerTimeoutMs,
    socketTimeout: answerTimeoutMs,
    // The text is ours: nothing in it names a file or an address to fetch.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

const domainOf = (address: string): string => /@([A-Za-z0-9.-]+)/.exec(address)?.[1] ?? 'localhost';

function failureOf(error: unknown): SendResult {
  const { code, responseCode } = error as { readonly code?: string; readonly responseCode?: number };
  if (code === 'EAUTH') return failed('email-not-signed-in', 'transient', responseCode);
  if (responseCode === undefined || code === 'ETLS') return failed('email-no-connection', 'transient');
  return responseCode >= 500
    ? failed('email-refused', 'permanent', responseCode)
    : failed('email-put-off', 'transient', responseCode);
}

function failed(code: keyof typeof reasons, retry: RetryClass, answer?: number): SendResult {
  const text = answer === undefined ? reasons[code] : `${reasons[code]} (${answer})`;
  return {
    state: 'failed',
    retry,
    reason: { code, text },
    ...(answer === undefined ? {} : { code: String(answer) }),
  };
}
