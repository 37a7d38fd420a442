/**
 * What the requests route answers: attestation to whoever asks, and for the parent the request for a certificate of the TLS key, with the
 * attestation of that key, whether a certificate was taken, and what the desk says about keys.
 */
import { CodedError, describeError } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/log.ts';
import { RequestError } from '../../wire/requests/errors.ts';
import { refusalOf } from '../../wire/requests/messages.ts';
import type { ParentAnswer } from '../../wire/requests/parent-messages.ts';
import type { ParentAnswerer } from '../../wire/requests/serve.ts';
import type { KeyDesk } from '../keys/key-desk.ts';
import type { CertificateDesk } from '../tls/certificate-desk.ts';
import type { Attestor } from './attestor.ts';

interface AnswerDeps {
  readonly attestor: Pick<Attestor, 'answer'>;
  readonly certificateDesk: CertificateDesk;
  /** Undefined where keys lie in the image. */
  readonly keyDesk: Pick<KeyDesk, 'answer'> | undefined;
  readonly logger: Logger;
}

export function answerParent({ attestor, certificateDesk, keyDesk, logger }: AnswerDeps): ParentAnswerer {
  async function request(nonce: string, signal: AbortSignal): Promise<ParentAnswer> {
    const { request: wanted, keySha256 } = certificateDesk.request();
    const answer = await attestor.answer({ type: 'attest', nonce }, signal, keySha256);
    const request = wanted.toString('base64');
    return answer.type === 'refusal' ? answer : { ...answer, type: 'certificate-request', request };
  }

  function install(chain: string): ParentAnswer {
    const { subject, endsMs } = certificateDesk.install(Buffer.from(chain));
    return { type: 'certificate-installed', subject, endsMs };
  }

  function refuse(error: unknown): ParentAnswer {
    if (!(error instanceof CodedError)) throw error;
    logger.log('warn', 'tls.certificate-refused', { code: error.code, reason: describeError(error) });
    return refusalOf(error);
  }

  return async (asked, signal) => {
    try {
      switch (asked.type) {
        case 'attest':
          return await attestor.answer(asked, signal);
        case 'certificate-request':
          return await request(asked.nonce, signal);
        case 'install-certificate':
          return install(asked.chain);
        default:
          if (keyDesk !== undefined) return await keyDesk.answer(asked, signal);
          return refusalOf(new RequestError('REQUEST_MALFORMED', 'the keys of this enclave lie in its image'));
      }
    } catch (error) {
      return refuse(error);
    }
  };
}
