/**
 * A root of this test alone, and the program for PID 1 that signs under it what a machine's security module states
 * (images/signing-module.ts). The program is written for each test, because no file belongs into a measured folder that enclave.yaml does
 * not name; it is measured with the rest of the image's code. The chain is good for the three hours of Nitro's own leaves.
 */
import { realpathSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { encodeAttestationPayload } from '../../../attestation/document/encode.ts';
import type { AttestationPayload } from '../../../attestation/document/payload.ts';
import { PROJECT } from '../../../cli/qemu/vm-tools.ts';
import type { NsmTrust } from '../../../emulator/kms/nsm-trust.ts';
import { issueSigningChain } from '../../../emulator/nsm/chain.ts';
import { loadOrCreateNsmRoot } from '../../../emulator/nsm/root.ts';
import { ES384, signCoseSign1 } from '../../../encoding/cose-sign1.ts';
import { systemClock } from '../../../runtime/clock.ts';
import type { Signer } from '../images/signing-module.ts';

export interface Signing {
  /** Of the emulated KMS. */
  readonly trust: NsmTrust;
  /** Source file of the program for PID 1, relative to the project. */
  readonly init: string;
  /** As the image does: for what an enclave would have to find by other means. @returns the document */
  readonly sign: (stated: AttestationPayload) => Buffer;
}

/** @param folder exists */
export async function prepareSigning(folder: string): Promise<Signing> {
  const root = await loadOrCreateNsmRoot(join(folder, 'nsm'));
  const { leafKey, certificate, cabundle } = await issueSigningChain(root, 'i-test-enc', systemClock.nowMs());
  const signer: Signer = {
    leafKey: String(leafKey.export({ type: 'pkcs8', format: 'pem' })),
    certificate: certificate.toString('base64'),
    cabundle: cabundle.map((each) => each.toString('base64')),
  };
  const project = realpathSync(PROJECT);
  const file = join(realpathSync(folder), 'signing-init.ts');
  const program = JSON.stringify(join(project, 'test/enclave/images/signing-module.ts'));
  const text = `import { runSigned } from ${program};\nawait runSigned(${JSON.stringify(signer)});\n`;
  writeFileSync(file, text, { mode: 0o600 });
  return {
    trust: { kind: 'signed', rootDer: root.rootDer },
    init: relative(project, file),
    sign: (stated) => signCoseSign1(ES384, encodeAttestationPayload({ ...stated, certificate, cabundle }), leafKey),
  };
}
