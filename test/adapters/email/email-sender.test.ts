// Mail against a real SMTP server: what arrives, what is never said in the clear, and what each refusal means for another try.
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { createEmailSender, type EmailSenderOptions } from '../../../adapters/email/email-sender.ts';
import type { SendResult } from '../../../engine/index.ts';
import { serverCertificate, serverKey } from '../hl7/support/certificates.ts';

interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
  readonly isSecure: boolean;
}

const mails: Mail[] = [];
let server: SMTPServer | undefined;
afterEach(async () => {
  mails.splice(0);
  const open = server;
  server = undefined;
  if (open !== undefined) await new Promise<void>((done) => open.close(() => done()));
});

/** `refuse`: what the server says instead of taking the mail. */
async function listening(options: SMTPServerOptions = {}, refuse?: number): Promise<number> {
  const opened = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, session, done) => {
      let text = '';
      stream.on('data', (piece: Buffer) => (text += piece.toString()));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        const from = mailFrom === false ? '' : mailFrom.address;
        mails.push({ from, to: rcptTo.map(({ address }) => address), text, isSecure: session.secure });
        done(refuse === undefined ? null : Object.assign(new Error('no'), { responseCode: refuse }));
      });
    },
    ...options,
  });
  opened.on('error', () => undefined);
  await new Promise<void>((done) => opened.listen(0, '127.0.0.1', () => done()));
  server = opened;
  return (opened.server.address() as AddressInfo).port;
}

const delivery = {
  id: 'd-1',
  contentType: 'text/plain; charset=utf-8',
  payload: Buffer.from(
    'Kiungo: 1 begun, 0 over\n\nBegun: lab: nothing has come for 10 minutes (silence)\n.\nÄhnlich\n',
  ),
};
const send = (port: number, change: Partial<EmailSenderOptions> = {}): Promise<SendResult> =>
  createEmailSender({
    ...{ host: '127.0.0.1', port, from: 'kiungo@hospital.example', answerTimeoutMs: 2_000 },
    to: ['ict@hospital.example', 'night@hospital.example'],
    ...change,
  }).send(delivery);

test('a mail to all of them, with the first line as its subject, known by its delivery', async () => {
  expect(await send(await listening())).toEqual({ state: 'done' });
  const [mail] = mails;
  expect(mail).toMatchObject({
    from: 'kiungo@hospital.example',
    to: ['ict@hospital.example', 'night@hospital.example'],
  });
  expect(mail!.text).toMatch(/^Subject: Kiungo: 1 begun, 0 over\r?$/m);
  expect(mail!.text).toMatch(/^Message-ID: <d-1@hospital\.example>\r?$/m);
  expect(mail!.text).toMatch(/^Auto-Submitted: auto-generated\r?$/im);
  expect(mail!.text).toContain('nothing has come for 10 minutes');
});

describe('what a refusal says about another try', () => {
  test.each([
    [451, 'transient', 'email-put-off'],
    [550, 'permanent', 'email-refused'],
  ])('%i', async (answer, retry, code) => {
    const result = await send(await listening({}, answer));
    expect(result).toMatchObject({ state: 'failed', retry, reason: { code }, code: String(answer) });
  });

  test('nobody listens', async () => {
    expect(await send(1)).toMatchObject({
      state: 'failed',
      retry: 'transient',
      reason: { code: 'email-no-connection' },
    });
  });

  test('no word of the mail is in the reason', async () => {
    expect(JSON.stringify(await send(await listening({}, 550)))).not.toMatch(/lab|hospital|silence/);
  });
});

describe('a password', () => {
  const signIn: Partial<EmailSenderOptions> = { user: 'kiungo', password: () => 'open sesame' };

  test('is never said in the clear', async () => {
    const asked: string[] = [];
    const port = await listening({
      allowInsecureAuth: true,
      onAuth: ({ username }, _session, done) => {
        asked.push(username ?? '');
        done(null, { user: username ?? '' });
      },
    });
    expect(await send(port, signIn)).toMatchObject({ reason: { code: 'email-no-connection' } });
    expect(asked).toEqual([]);
    expect(mails).toEqual([]);
  });

  test('to a server whose certificate nobody vouches for nothing is said', async () => {
    const port = await listening({ disabledCommands: [], key: serverKey, cert: serverCertificate });
    expect(await send(port, signIn)).toMatchObject({ state: 'failed', retry: 'transient' });
    expect(mails).toEqual([]);
  });
});
