/** KMS and instance metadata as an enclave test needs them: the emulators', or AWS's own. */
import type { EncryptOptions } from '../../../kms/operator-encrypt.ts';
import type { PcrIndex } from '../../../wire/brands.ts';

export interface EnclaveCloud {
  /** Sections of host-proxy.yaml. */
  readonly hostSettings: { readonly kms: { readonly connect: string }; readonly imds: { readonly connect: string } };
  /** How the operator's own client reaches KMS. */
  readonly operator: Pick<EncryptOptions, 'region' | 'endpoint' | 'caPem' | 'credentials'>;
  /** @returns the key's ARN */
  createKey(): Promise<string>;
  /** From now on only enclaves with these measurements may decrypt. */
  putKeyPolicy(keyArn: string, pcrs: ReadonlyMap<PcrIndex, Buffer>): Promise<void>;
  /** What was created is deleted, or scheduled to be. */
  stop(): Promise<void>;
}
