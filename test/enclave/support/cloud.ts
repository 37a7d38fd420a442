/** KMS and instance metadata as an enclave test needs them: the emulators', or AWS's own. */
import type { Faults } from '../../../emulator/kms/faults.ts';
import type { EncryptOptions } from '../../../kms/operator-encrypt.ts';
import type { PcrIndex } from '../../../wire/brands.ts';

/** Beside measurements. Default: the key seals one master key, from outside. */
export interface KeyPolicyChoices {
  /** Enclaves make data keys as well, and nobody seals anything from outside. */
  readonly keysBornInEnclave?: boolean;
  /** Of the key sets that open; default: any. */
  readonly generations?: readonly number[];
  /** What an application does with the key, in KMS's names. */
  readonly uses?: readonly string[];
}

export interface EnclaveCloud {
  /** Sections of host-proxy.yaml. */
  readonly hostSettings: { readonly kms: { readonly connect: string }; readonly imds: { readonly connect: string } };
  /** How the operator's own client reaches KMS. */
  readonly operator: Pick<EncryptOptions, 'region' | 'endpoint' | 'caPem' | 'credentials'>;
  /** @returns the key's ARN */
  createKey(): Promise<string>;
  /** From now on only enclaves with these measurements may decrypt. */
  putKeyPolicy(keyArn: string, pcrs: ReadonlyMap<PcrIndex, Buffer>, choices?: KeyPolicyChoices): Promise<void>;
  /** Only where KMS is an emulated one. */
  readonly emulated?: {
    readonly faults: Faults;
    /** JSON lines of AuditEntry. */
    readonly auditFile: string;
  };
  /** What was created is deleted, or scheduled to be. */
  stop(): Promise<void>;
}
