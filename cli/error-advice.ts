/** All error catalogues of the product together, for `what to do` lines and for docs/errors.md. */
import { ACRA_ERRORS, CATALOGUE_ERRORS, ENCRYPTOR_ERRORS, ENGINE_ERRORS, KEYSTORE_ERRORS } from '../acra/errors.ts';
import { ATTESTATION_ERRORS, NSM_ERRORS } from '../attestation/errors.ts';
import { MEASUREMENTS_ERRORS } from '../attestation/published/errors.ts';
import { CONFIG_ERRORS } from '../config/errors.ts';
import { DEPLOY_ERRORS } from '../deploy/errors.ts';
import { EIF_BUILD_ERRORS, KERNEL_ERRORS } from '../eif/build-errors.ts';
import { CPIO_ERRORS, EIF_ERRORS } from '../eif/errors.ts';
import { OCI_ERRORS } from '../eif/oci/errors.ts';
import { EMULATOR_ERRORS } from '../emulator/errors.ts';
import { HOST_PROXY_ERRORS } from '../host-proxy/errors.ts';
import { ENCLAVE_ERRORS } from '../host-proxy/machine/errors.ts';
import { SYSTEMD_ERRORS } from '../host-proxy/systemd/errors.ts';
import { KEY_ERRORS } from '../keys/errors.ts';
import { KEEPER_ERRORS } from '../keys/keepers/errors.ts';
import { TLS_KEY_ERRORS } from '../keys/tls/errors.ts';
import { CMS_ERRORS, KMS_ERRORS, KMS_OPERATOR_ERRORS } from '../kms/errors.ts';
import { KMS_POLICY_ERRORS } from '../kms/policy/errors.ts';
import { RELAY_ERRORS } from '../relay/errors.ts';
import type { ErrorCatalogue } from '../runtime/errors.ts';
import { RUNTIME_ERRORS } from '../runtime/runtime-errors.ts';
import { EGRESS_PROXY_ERRORS } from '../supervisor/egress/errors.ts';
import { SUPERVISOR_ERRORS } from '../supervisor/errors.ts';
import { KMS_PROXY_ERRORS } from '../supervisor/kms-proxy/errors.ts';
import { LEASE_ERRORS } from '../supervisor/lease/errors.ts';
import { SYSTEM_ERRORS } from '../system/errors.ts';
import { EGRESS_ERRORS } from '../wire/egress/errors.ts';
import { WIRE_ERRORS } from '../wire/errors.ts';
import { REQUEST_ERRORS } from '../wire/requests/errors.ts';
import { CONNECT_ERRORS } from './connect/errors.ts';
import { CLI_ERRORS } from './errors.ts';
import { VM_TOOL_ERRORS } from './qemu/errors.ts';

export const CATALOGUES: Readonly<Record<string, ErrorCatalogue>> = {
  Secrets: RUNTIME_ERRORS,
  Configuration: CONFIG_ERRORS,
  'Addresses and messages': WIRE_ERRORS,
  'Requests to the enclave': REQUEST_ERRORS,
  'HTTP egress': EGRESS_ERRORS,
  'System calls and programs': SYSTEM_ERRORS,
  Relay: RELAY_ERRORS,
  'Nitro Security Module': NSM_ERRORS,
  Attestation: ATTESTATION_ERRORS,
  'Published measurements': MEASUREMENTS_ERRORS,
  'CMS EnvelopedData': CMS_ERRORS,
  KMS: KMS_ERRORS,
  'KMS, asked by the operator': KMS_OPERATOR_ERRORS,
  'KMS policies': KMS_POLICY_ERRORS,
  'Sealed keys': KEY_ERRORS,
  'Keepers of keys': KEEPER_ERRORS,
  'TLS key made in the enclave': TLS_KEY_ERRORS,
  'acra-server': ACRA_ERRORS,
  'acra-server as an engine': ENGINE_ERRORS,
  Keystore: KEYSTORE_ERRORS,
  'Encryptor configuration': ENCRYPTOR_ERRORS,
  'Catalogue of the database': CATALOGUE_ERRORS,
  Supervisor: SUPERVISOR_ERRORS,
  'HTTP egress, inside the enclave': EGRESS_PROXY_ERRORS,
  Lease: LEASE_ERRORS,
  'KMS proxy': KMS_PROXY_ERRORS,
  'host-proxy': HOST_PROXY_ERRORS,
  'Life cycle of the enclave': ENCLAVE_ERRORS,
  'Service manager': SYSTEMD_ERRORS,
  'Enclave image': EIF_ERRORS,
  'Building an enclave image': EIF_BUILD_ERRORS,
  'Container image': OCI_ERRORS,
  Kernel: KERNEL_ERRORS,
  'cpio archive': CPIO_ERRORS,
  Installation: DEPLOY_ERRORS,
  'Command line': CLI_ERRORS,
  connect: CONNECT_ERRORS,
  'QEMU’s machine': VM_TOOL_ERRORS,
  Emulators: EMULATOR_ERRORS,
};

export function findAdvice(code: string): string | undefined {
  for (const catalogue of Object.values(CATALOGUES)) {
    const entry = Object.hasOwn(catalogue, code) ? catalogue[code] : undefined;
    if (entry) return entry.action;
  }
  return undefined;
}
