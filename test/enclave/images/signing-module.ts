/**
 * The product as PID 1 of a machine whose security module does not sign (QEMU's): every call goes to that module, and what it states is
 * signed anew, under a root that the test made. So whoever must verify a document can, with the product's own verifier and its one rule:
 * a signature under the root that he trusts. Key and certificates come in the program that calls this (support/signing.ts).
 * Specification: nitro-formats 3.6.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { encodeAttestationPayload } from '../../../attestation/document/encode.ts';
import { readStatedDocument } from '../../../attestation/document/stated-document.ts';
import type { NsmProvider } from '../../../attestation/nsm/provider.ts';
import { ES384, signCoseSign1 } from '../../../encoding/cose-sign1.ts';
import { runEnclave } from '../../../supervisor/enclave.ts';
import { enclavePlatform } from '../../../supervisor/machine/platform.ts';

export interface Signer {
  /** PEM. */
  readonly leafKey: string;
  /** DER in base64, as the two of a document. */
  readonly certificate: string;
  readonly cabundle: readonly string[];
}

interface Chain {
  readonly leafKey: KeyObject;
  readonly certificate: Buffer;
  readonly cabundle: readonly Buffer[];
}

function signing(nsm: NsmProvider, { leafKey, ...chain }: Chain): NsmProvider {
  return {
    describe: () => nsm.describe(),
    describePcr: (index) => nsm.describePcr(index),
    extendPcr: (index, data) => nsm.extendPcr(index, data),
    lockPcr: (index) => nsm.lockPcr(index),
    lockPcrs: (range) => nsm.lockPcrs(range),
    attest: async (request) => {
      const { payload } = readStatedDocument(await nsm.attest(request));
      return signCoseSign1(ES384, encodeAttestationPayload({ ...payload, ...chain }), leafKey);
    },
    random: () => nsm.random(),
    close: () => nsm.close(),
  };
}

export async function runSigned({ leafKey, certificate, cabundle }: Signer): Promise<void> {
  const chain = {
    leafKey: createPrivateKey(leafKey),
    certificate: Buffer.from(certificate, 'base64'),
    cabundle: cabundle.map((each) => Buffer.from(each, 'base64')),
  };
  const platform = enclavePlatform();
  await runEnclave({ ...platform, openNsm: async () => signing(await platform.openNsm(), chain) });
}
