// Keys and certificates in files that others renew: looked at again and again, taken over when they are whole, kept as they were when they are not.
import { createHash, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import { concern, type Concern } from '../messages/alert.ts';
import type { TlsMaterial } from './channel-material.ts';

export interface HeldCertificate {
  readonly current: () => TlsMaterial;
  /** Called with what is to be used from now on. */
  onRenewed(listener: (material: TlsMaterial) => void): void;
  /** Looks at the files no more. */
  release(): void;
}

export interface Certificates {
  /** `subject` names them in alerts: a channel, or a destination. Throws when they cannot be used to begin with. */
  hold(subject: string, read: () => TlsMaterial): HeldCertificate;
  start(): void;
  stop(): void;
  /** Looks at all files now. */
  look(): void;
  /** Files that cannot be used, and certificates that end soon. */
  concerns(): readonly Concern[];
}

export interface CertificatesOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** How often the files are looked at; 10 s unless told. */
  readonly everyMs?: number;
}

interface Holding {
  readonly subject: string;
  readonly read: () => TlsMaterial;
  readonly listeners: ((material: TlsMaterial) => void)[];
  material: TlsMaterial;
  /** Of what was last read, usable or not. */
  seen: string;
  problem: string | undefined;
}

/** A person needs some days to get another. */
const soonMs = 14 * 86_400_000;

export function createCertificates({ clock, logger, everyMs = 10_000 }: CertificatesOptions): Certificates {
  const holdings = new Set<Holding>();
  let timer: NodeJS.Timeout | undefined;

  const lookAt = (holding: Holding): void => {
    const { subject } = holding;
    try {
      const material = holding.read();
      const digest = digestOf(material);
      if (digest === holding.seen) return;
      holding.seen = digest;
      createSecureContext(material);
      for (const listener of holding.listeners) listener(material);
      Object.assign(holding, { material, problem: undefined });
      logger.info({ subject }, 'certificate renewed: new connections get it');
    } catch (error) {
      const problem = causeOf(error);
      if (problem !== holding.problem) {
        logger.error(
          { subject, problem },
          'the new certificate cannot be used: the one before stays; mend the files',
        );
      }
      holding.problem = problem;
    }
  };
  const look = (): void => holdings.forEach(lookAt);
  return {
    hold: (subject, read) => {
      const material = read();
      createSecureContext(material);
      const holding: Holding = {
        ...{ subject, read, material, seen: digestOf(material), problem: undefined, listeners: [] },
      };
      holdings.add(holding);
      return {
        current: () => holding.material,
        onRenewed: (listener) => void holding.listeners.push(listener),
        release: () => void holdings.delete(holding),
      };
    },
    start: () => {
      timer = setInterval(look, everyMs).unref();
    },
    stop: () => clearInterval(timer),
    look,
    concerns: () => [...holdings].flatMap((holding) => concernsOf(holding, clock.now())),
  };
}

function digestOf({ key, cert, ca }: TlsMaterial): string {
  const hash = createHash('sha256');
  for (const part of [key, cert, ca]) hash.update(`${part?.length ?? 0}:`).update(part ?? '');
  return hash.digest('base64');
}

/** OpenSSL's words name no content; those of the file system name the file. */
const causeOf = (error: unknown): string => (error as Error).message.slice(0, 200);

function concernsOf({ subject, problem, material: { cert } }: Holding, now: number): readonly Concern[] {
  const unusable = `the renewed certificate cannot be used, the one before stays: ${problem ?? ''}`;
  const endsAt = cert === undefined ? Infinity : new X509Certificate(cert).validToDate.getTime();
  const ends = endsAt > now ? 'the certificate ends within two weeks' : 'the certificate has ended';
  return [
    ...(problem === undefined ? [] : [concern('certificate-unusable', subject, unusable)]),
    ...(endsAt - now > soonMs ? [] : [concern('certificate-ends', subject, ends)]),
  ];
}
