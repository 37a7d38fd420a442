/**
 * One judged request to KMS and back: Recipient where the answer is a secret, the enclave's credentials of the moment, the answer checked.
 * KMS's errors go back as they are, but for those that are about the enclave's own signature, which the program can do nothing about.
 */
import type { NsmProvider } from '../../attestation/nsm/provider.ts';
import { parseUniqueJson } from '../../encoding/unique-json.ts';
import { requireKey } from '../../kms/answer.ts';
import { KmsError } from '../../kms/errors.ts';
import type { RecipientKey } from '../../kms/recipient.ts';
import { attestRecipient } from '../../kms/recipient.ts';
import type { RecipientKeys } from '../../kms/recipient-keys.ts';
import type { SignedAnswer, SignedKms } from '../../kms/signed-kms.ts';
import { untilAborted } from '../../runtime/abort.ts';
import { errorCode } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/log.ts';
import type { CredentialKeeper } from '../credentials/keeper.ts';
import type { Answer } from './answers.ts';
import type { AttestedAction } from './attested.ts';
import { isAttested, openAttested, withRecipient } from './attested.ts';
import { KmsProxyError } from './errors.ts';
import type { Head } from './head.ts';
import type { Members } from './members.ts';
import type { Judged } from './rules.ts';

interface ForwarderDeps {
  readonly nsm: NsmProvider;
  readonly credentials: Pick<CredentialKeeper, 'credentials' | 'discard'>;
  readonly keys: RecipientKeys;
  readonly kmsOf: (region: string) => SignedKms | undefined;
  readonly logger: Logger;
}

/** KMS does not take credentials or signature. Specification: KMS API reference, "Common errors", and what KMS says in practice. */
const ABOUT_THE_SIGNATURE: ReadonlySet<string> = new Set([
  'ExpiredTokenException',
  'IncompleteSignature',
  'IncompleteSignatureException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
  'RequestExpired',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
]);
const REQUEST_ID = /^[\w-]{1,64}$/;

export class Forwarder {
  readonly #deps: ForwarderDeps;

  constructor(deps: ForwarderDeps) {
    this.#deps = deps;
  }

  /** @throws KmsProxyError KMS_PROXY_CREDENTIALS_REFUSED; KmsError, CmsError, NsmError; the signal's reason when it aborts */
  async forward({ action, region }: Head, { members, keyArn }: Judged, signal: AbortSignal): Promise<Answer> {
    const kms = this.#deps.kmsOf(region);
    if (kms === undefined)
      throw new KmsError('KMS_UNAVAILABLE', 'there is no way to KMS of this region', { found: region });
    const { answer, key } = await this.#ask(kms, action, members, signal);
    const { status, body } = answer;
    const requestId = REQUEST_ID.test(answer.requestId ?? '') ? answer.requestId : undefined;
    if (status !== 200) {
      requireError(answer);
      return { status, body, requestId };
    }
    const said = objectOf(body);
    refuseOtherKey(said, keyArn, key !== undefined);
    if (key === undefined) return { status, body, requestId };
    return { status, body: openAttested(action as AttestedAction, said, key.privateKey), requestId };
  }

  /** A second time where KMS does not take the credentials, which are fetched anew for it. */
  async #ask(kms: SignedKms, action: string, members: Members, signal: AbortSignal) {
    const first = await this.#askOnce(kms, action, members, signal);
    if (!isAboutTheSignature(first.answer)) return first;
    this.#deps.credentials.discard();
    const second = await this.#askOnce(kms, action, members, signal);
    if (!isAboutTheSignature(second.answer)) return second;
    throw new KmsProxyError('KMS_PROXY_CREDENTIALS_REFUSED', 'KMS does not accept the enclave’s credentials', {
      found: errorTypeOf(second.answer.body).slice(0, 64),
    });
  }

  async #askOnce(
    kms: SignedKms,
    action: string,
    members: Members,
    signal: AbortSignal,
  ): Promise<{ readonly answer: SignedAnswer; readonly key: RecipientKey | undefined }> {
    const { nsm, keys } = this.#deps;
    const key = isAttested(action) ? await untilAborted(keys.take(), signal) : undefined;
    const complete =
      key === undefined ? members : withRecipient(members, await untilAborted(attestRecipient(nsm, key), signal));
    const credentials = await untilAborted(this.#credentials(), signal);
    const body = Buffer.from(JSON.stringify(complete));
    try {
      return { answer: await kms.send({ action, body, credentials, signal }), key };
    } finally {
      body.fill(0);
    }
  }

  async #credentials() {
    try {
      return await this.#deps.credentials.credentials();
    } catch (cause) {
      throw new KmsError('KMS_CREDENTIALS_UNAVAILABLE', 'the enclave has no AWS credentials', {
        ...(errorCode(cause) !== undefined && { found: errorCode(cause) ?? '' }),
        cause,
      });
    }
  }
}

/** Nothing of the answer is quoted: it may hold what was to be a secret. */
function objectOf(body: Buffer): Members {
  let said: unknown;
  try {
    said = parseUniqueJson(body.toString('utf8'));
  } catch {
    said = undefined;
  }
  if (typeof said === 'object' && said !== null && !Array.isArray(said)) return said as Members;
  throw new KmsError('KMS_RESPONSE_INVALID', 'the answer is not the JSON of a KMS answer', {
    found: `${body.length} bytes`,
  });
}

/** `namespace#Type:uri` in some forms of the protocol. */
function errorTypeOf(body: Buffer): string {
  const { __type: type } = objectOf(body);
  return typeof type === 'string' ? (type.split('#').at(-1)?.split(':')[0] ?? '') : '';
}

/** @throws KmsError KMS_UNAVAILABLE where something in front of KMS answered; KMS_RESPONSE_INVALID */
function requireError({ status, body }: SignedAnswer): void {
  let type = '';
  try {
    type = errorTypeOf(body);
  } catch (error) {
    if (status < 500 && status !== 429) throw error;
  }
  if (type !== '' && status >= 400 && status <= 599) return;
  throw new KmsError(
    status >= 500 || status === 429 ? 'KMS_UNAVAILABLE' : 'KMS_RESPONSE_INVALID',
    'KMS did not answer in its own form',
    {
      found: `HTTP status ${status}`,
    },
  );
}

function isAboutTheSignature({ status, body }: SignedAnswer): boolean {
  if (status < 400 || status > 499) return false;
  try {
    return ABOUT_THE_SIGNATURE.has(errorTypeOf(body));
  } catch {
    return false;
  }
}

/** Attested answers say which key they are of; of others, those that do must not say another. @throws KmsError KMS_WRONG_KEY */
function refuseOtherKey({ KeyId: answered }: Members, keyArn: string | undefined, isDemanded: boolean): void {
  if (keyArn === undefined || (answered === undefined && !isDemanded)) return;
  if (!isDemanded && keyArn.endsWith(`:key/${String(answered)}`)) return;
  requireKey({ KeyId: typeof answered === 'string' ? answered : undefined }, keyArn);
}
