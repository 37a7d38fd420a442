/**
 * How the enclave reaches KMS: a TLS session that ends here and at KMS, over whatever the dial address leads to. The
 * parent instance carries the bytes and can stop them, but the name and the CA are measured configuration.
 */

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

export type KmsDialAddress = { readonly host: string; readonly port: number } | { readonly path: string };

export interface KmsConnection {
  readonly region: string;
  /** https:// only. Its host name is what the server's certificate must bear. */
  readonly endpoint: URL;
  /** The only CAs that are trusted; Node's bundled ones when absent. */
  readonly caPem?: string;
  /** Where the bytes go: the local end of the relay to KMS. */
  readonly dial: KmsDialAddress;
  /** Asked before each request; the provider keeps and refreshes them. */
  readonly credentials: () => Promise<AwsCredentials>;
  /** For one call from attestation to the opened answer. */
  readonly requestTimeoutMs: number;
}
