/**
 * Tokens by which RDS lets a user in (`database.login: rds-iam`): a request to connect that is signed and never sent, as text, good for 15
 * minutes. One is made for each login. The signature is made here, so that programs that talk to clients and to the database never have
 * the role's credentials.
 *
 * Strings: the SDK's signer takes the credentials as text and gives the parts of the token as text. The token is put together as bytes at
 * once; what of it was text is left to the garbage collector.
 * Specification: RDS User Guide, "Connecting to your DB instance using IAM authentication"; AWS Signature Version 4, signing by query.
 */
import { SignatureV4 } from '@smithy/signature-v4';
import type { RdsPlace } from '../../config/rds-iam.ts';
import type { AwsCredentials } from '../../kms/connection.ts';
import { Sha256 } from '../../kms/sha256.ts';
import type { Clock } from '../../runtime/clock.ts';
import { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { SupervisorError } from '../errors.ts';

/** The longest that RDS takes. */
const TOKEN_SECONDS = 900;
/** Between two fetches of new credentials because a database refused a token: it may do so as often as clients come. */
const RENEW_MS = 60_000;

interface Credentials {
  readonly credentials: () => Promise<AwsCredentials>;
  readonly discard: () => void;
  readonly renew: () => Promise<void>;
}

function escaped(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

export class DatabaseTokens {
  readonly #place: RdsPlace;
  readonly #keeper: Credentials;
  readonly #clock: Clock;
  #renewedMs = Number.NEGATIVE_INFINITY;

  constructor(place: RdsPlace, keeper: Credentials, clock: Clock) {
    this.#place = place;
    this.#keeper = keeper;
    this.#clock = clock;
  }

  /**
   * The caller disposes of it. @param user of the database
   * @throws SupervisorError CREDENTIALS_UNAVAILABLE, where there are none that have not expired
   */
  async tokenFor(user: string): Promise<SecretBuffer> {
    const { host, port, region } = this.#place;
    const { accessKeyId, secretAccessKey, sessionToken } = await this.#validCredentials();
    const signer = new SignatureV4({
      region,
      service: 'rds-db',
      sha256: Sha256,
      applyChecksum: false,
      credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
    });
    const connect = {
      method: 'GET',
      protocol: 'https:',
      hostname: host,
      port,
      path: '/',
      query: { Action: 'connect', DBUser: user },
      headers: { host: `${host}:${port}` },
    };
    const signingDate = new Date(this.#clock.nowMs());
    const { query = {} } = await signer.presign(connect, { expiresIn: TOKEN_SECONDS, signingDate });
    const parts = Object.entries(query).map(([name, value], index) =>
      Buffer.from(`${index === 0 ? '' : '&'}${escaped(name)}=${escaped(String(value))}`),
    );
    const token = SecretBuffer.take(Buffer.concat([Buffer.from(`${host}:${port}/?`), ...parts]));
    for (const part of parts) part.fill(0);
    return token;
  }

  /** A database did not take a token: perhaps because the credentials were called back. It may say so of good ones, which stay in use. */
  refused(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#renewedMs < RENEW_MS) return;
    this.#renewedMs = nowMs;
    void this.#keeper.renew();
  }

  /** Those that the keeper could not renew in time make tokens that nobody takes. */
  async #validCredentials(): Promise<AwsCredentials> {
    const kept = await this.#keeper.credentials();
    if (!this.#hasExpired(kept)) return kept;
    this.#keeper.discard();
    const fresh = await this.#keeper.credentials();
    if (!this.#hasExpired(fresh)) return fresh;
    throw new SupervisorError(
      'CREDENTIALS_UNAVAILABLE',
      'the role’s credentials have expired, and there are no others',
      {
        found: fresh.expiration?.toISOString() ?? 'no time of expiry',
      },
    );
  }

  #hasExpired({ expiration }: AwsCredentials): boolean {
    return expiration !== undefined && expiration.getTime() <= this.#clock.nowMs();
  }
}
