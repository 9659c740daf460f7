// What can go wrong with an SFTP server, and what that says about another try.
import type { RetryClass, SendResult } from '../../engine/index.ts';

const failures = {
  'sftp-no-connection': 'no connection to the SFTP server; see that it is on and reachable',
  'sftp-host-key':
    'the server shows another host key than the channel names: ask its owner before you change it, as somebody may stand in between',
  'sftp-not-signed-in':
    'the SFTP server does not take the user name and its password or key; mend the secret',
  'sftp-answer-timeout': 'the SFTP server did not answer in time',
  'sftp-connection-lost':
    'the connection to the SFTP server was lost; the file is sent again under the same name',
  'sftp-refused':
    'the SFTP server refused it; see that the folder exists, may be written by this user and has room',
} as const;

type SftpFailureCode = keyof typeof failures;

/** Whatever it is, the same file under the same name may be sent again: a person can mend each of them on the other side. */
const retry: RetryClass = 'transient';

export class SftpFailure extends Error {
  readonly code: SftpFailureCode;
  /** What the server answered, where it did. */
  readonly status: number | undefined;

  /** `detail`: a code or a word of the protocol, never a name of a file. */
  constructor(code: SftpFailureCode, detail = '', status?: number) {
    super(detail === '' ? failures[code] : `${failures[code]} (${detail})`);
    this.name = 'SftpFailure';
    this.code = code;
    this.status = status;
  }
}

export const failedBy = ({ code, message }: SftpFailure): SendResult => ({
  state: 'failed',
  retry,
  reason: { code, text: message },
});

/** What SSH and the network say; their words name hosts and ports, not files. */
export function causeOf(error: unknown): string {
  const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  if (typeof code === 'string') return code;
  return typeof message === 'string' ? message.slice(0, 200) : '';
}
