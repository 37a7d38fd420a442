/**
 * Carries between the operator and the enclave what concerns the certificate of its TLS key. host-proxy judges nothing of it: the enclave
 * takes only what it can verify, and whoever signs verifies the enclave.
 */
import { writeAttestedRequest } from '../../attestation/certificate-request-file.ts';
import { ReportedError } from '../../wire/errors.ts';
import type { ParentAnswer, ParentRequest } from '../../wire/requests/parent-messages.ts';
import type { EnclaveClient } from '../attestation/enclave-client.ts';
import { HostProxyError } from '../errors.ts';

export class TlsKeyCertificate {
  readonly #client: Pick<EnclaveClient, 'ask'>;

  constructor(client: Pick<EnclaveClient, 'ask'>) {
    this.#client = client;
  }

  /**
   * @returns JSON (attestation/certificate-request-file.ts)
   * @throws HostProxyError HOST_ATTESTATION_UNANSWERED; ReportedError with the enclave's code
   */
  async request(nonce: Buffer, signal: AbortSignal): Promise<string> {
    const answer = await this.#ask({ type: 'certificate-request', nonce: nonce.toString('base64') }, signal);
    if (answer.type !== 'certificate-request') throw unexpected(answer);
    const bytes = (text: string) => Buffer.from(text, 'base64');
    const { request, document, statement } = answer;
    return writeAttestedRequest({ request: bytes(request), document: bytes(document), statement: bytes(statement) });
  }

  /**
   * @param chain PEM
   * @returns what was installed, for people
   * @throws HostProxyError HOST_ATTESTATION_UNANSWERED; ReportedError with the enclave's code
   */
  async install(chain: string, signal: AbortSignal): Promise<string> {
    const answer = await this.#ask({ type: 'install-certificate', chain }, signal);
    if (answer.type !== 'certificate-installed') throw unexpected(answer);
    return `${answer.subject}, until ${new Date(answer.endsMs).toISOString()}`;
  }

  async #ask(request: ParentRequest, signal: AbortSignal): Promise<ParentAnswer> {
    const answer = await this.#client.ask(request, signal);
    if (answer.type === 'refusal') throw new ReportedError(answer.code, answer.message);
    return answer;
  }
}

function unexpected({ type }: ParentAnswer): HostProxyError {
  return new HostProxyError('HOST_ATTESTATION_UNANSWERED', 'the enclave answered something else', { found: type });
}
