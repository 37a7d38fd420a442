/** An emulated NSM with recognisable measurements, and the raw bytes of its interface. */

import { nsmOver } from '../../../attestation/nsm/exchange.ts';
import type { AttestationRequest } from '../../../attestation/nsm/provider.ts';
import { measurePcr } from '../../../attestation/pcr.ts';
import type { ParentInstance } from '../../../emulator/nsm/emulated-nsm.ts';
import { EmulatedNsm } from '../../../emulator/nsm/emulated-nsm.ts';
import type { NsmRoot } from '../../../emulator/nsm/root.ts';
import { loadOrCreateNsmRoot } from '../../../emulator/nsm/root.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { PcrIndex } from '../../../wire/brands.ts';
import { toPcrIndex } from '../../../wire/brands.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

export const MODULE_ID = 'i-0123456789abcdef0-enc0123456789abcdef';

function measurements(image: string): Map<PcrIndex, Buffer> {
  const parts = [`${image}: all`, `${image}: boot`, `${image}: application`];
  return new Map(parts.map((part, index) => [toPcrIndex(index), measurePcr([Buffer.from(part)])]));
}

export interface NsmFixtureOptions {
  readonly clock: Clock;
  readonly image?: string;
  readonly root?: NsmRoot;
  readonly parent?: ParentInstance;
}

export async function nsmFixture(t: { teardown(fn: () => void): void }, options: NsmFixtureOptions) {
  const root = options.root ?? (await loadOrCreateNsmRoot(temporaryFolder(t)));
  const pcrs = measurements(options.image ?? 'image');
  const random = seededRandom('nsm');
  const nsm = new EmulatedNsm({
    root,
    moduleId: MODULE_ID,
    pcrs,
    clock: options.clock,
    random,
    ...(options.parent && { parent: options.parent }),
  });
  const provider = nsmOver(nsm);
  return {
    root,
    pcrs,
    nsm,
    provider,
    attest: (request: AttestationRequest) => provider.attest(request),
  };
}
