/**
 * The certificate that clients see, and who must know when there is another one: it stands in the image, or it comes later and is renewed
 * while sessions go on. A session keeps the one that it began with.
 */
import { X509Certificate } from 'node:crypto';
import { untilAborted } from '../../runtime/abort.ts';
import type { Logger } from '../../runtime/log.ts';
import type { CertificateEnd } from '../../wire/certificate-end.ts';
import { shortSubject } from '../../wire/certificate-end.ts';
import { SupervisorError } from '../errors.ts';

interface Shown {
  readonly pem: string;
  readonly end: CertificateEnd;
}

function endOf(pem: string): CertificateEnd {
  const { subject = '', validToDate } = new X509Certificate(pem);
  const name = subject.split('\n').reverse().join(', ');
  return { certificate: 'server', subject: shortSubject(name), endsMs: validToDate.getTime() };
}

export class ServerCertificate {
  readonly #logger: Logger;
  readonly #first = Promise.withResolvers<void>();
  #isInImage = false;
  #shown: Shown | undefined;
  #listeners: (() => void)[] = [];

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** One of the image, whose end is told with those of the other files. */
  static ofImage(logger: Logger, pem: string): ServerCertificate {
    const certificate = new ServerCertificate(logger);
    certificate.show(pem);
    certificate.#isInImage = true;
    return certificate;
  }

  /** The certificate, behind it the CAs that are sent along. @throws SupervisorError BOOT_CERTIFICATE_MISSING */
  get pem(): string {
    if (this.#shown) return this.#shown.pem;
    throw new SupervisorError('BOOT_CERTIFICATE_MISSING', 'the TLS key of this boot has no certificate yet');
  }

  get isThere(): boolean {
    return this.#shown !== undefined;
  }

  /** Undefined before there is one. */
  get end(): CertificateEnd | undefined {
    return this.#shown?.end;
  }

  /** What is to be told beside the ends of the image's files. */
  get ends(): readonly CertificateEnd[] {
    return this.#isInImage || !this.#shown ? [] : [this.#shown.end];
  }

  /** What new sessions get. @param pem checked before; the server's own first */
  show(pem: string): CertificateEnd {
    const end = endOf(pem);
    this.#shown = { pem, end };
    this.#logger.log('info', 'tls.certificate-shown', {
      subject: end.subject,
      endsAt: new Date(end.endsMs).toISOString(),
    });
    this.#first.resolve();
    for (const notify of this.#listeners) notify();
    return end;
  }

  /** @throws the signal's reason */
  async untilThere(signal: AbortSignal): Promise<void> {
    await untilAborted(this.#first.promise, signal);
  }

  /** Called from now on, after each change. @returns ends it */
  subscribe(notify: () => void): () => void {
    this.#listeners = [...this.#listeners, notify];
    return () => {
      this.#listeners = this.#listeners.filter((each) => each !== notify);
    };
  }
}
