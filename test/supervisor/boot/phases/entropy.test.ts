import { randomBytes } from 'node:crypto';
import t from 'tap';
import { BootTable, boot } from '../../../../supervisor/boot/phase.ts';
import { entropyPhase } from '../../../../supervisor/boot/phases/entropy.ts';
import type { NsmReady } from '../../../../supervisor/boot/phases/nsm.ts';
import type { Platform } from '../../../../supervisor/platform.ts';
import { nsmFixture } from '../../../emulator/support/nsm-fixture.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { primaryReseeds, publicReseeds } from '../../../system/libc/support/openssl-generator.ts';
import { phaseContext } from '../../support/phase-context.ts';

const table = BootTable.empty<NsmReady>().phase(entropyPhase);

t.test(
  'mixes at least 512 bytes of the security module in, and seeds Node’s own generator after the last',
  async (t) => {
    const clock = new FakeClock();
    const { provider: nsm } = await nsmFixture(t, { clock });
    const added: Buffer[] = [];
    const reseedsAtEach: number[] = [];
    const platform: Partial<Platform> = {
      addEntropy: async (bytes) => {
        added.push(Buffer.from(bytes));
        reseedsAtEach.push(primaryReseeds());
      },
    };
    const context = phaseContext('entropy', clock, platform);
    randomBytes(1);
    const before = publicReseeds();
    const { entropyBytes } = await boot(table, { nsm }, context, new AbortController().signal);
    t.ok(entropyBytes >= 512);
    t.equal(Buffer.concat(added).length, entropyBytes);
    t.equal(new Set(added.map((bytes) => bytes.toString('hex'))).size, added.length, 'never the same bytes twice');
    t.equal(primaryReseeds(), (reseedsAtEach.at(-1) ?? 0) + 1);
    randomBytes(1);
    t.equal(publicReseeds(), before + 1, 'what comes next is of the new seed');
  },
);
