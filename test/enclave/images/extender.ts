/** The product as PID 1, with one more boot phase: somebody inside asks the security module to extend and to lock every register. */

import { PCR_COUNT } from '../../../attestation/pcr.ts';
import { errorCode } from '../../../runtime/errors.ts';
import type { Phase } from '../../../supervisor/boot/phase.ts';
import type { NsmReady } from '../../../supervisor/boot/phases/nsm.ts';
import { bootTable } from '../../../supervisor/boot/table.ts';
import { runEnclave } from '../../../supervisor/enclave.ts';
import { enclavePlatform } from '../../../supervisor/machine/platform.ts';
import { toPcrIndex } from '../../../wire/brands.ts';

const outcome = (asked: Promise<unknown>) =>
  asked.then(
    () => 'done',
    (error: unknown) => errorCode(error) ?? 'no code',
  );

const extend: Phase<NsmReady, object> = {
  name: 'extend',
  deadlineMs: () => 120_000,
  async run({ nsm }, { logger }) {
    for (let index = 0; index < PCR_COUNT; index += 1) {
      const pcr = toPcrIndex(index);
      const { locked, value } = await nsm.describePcr(pcr);
      const extended = await outcome(nsm.extendPcr(pcr, Buffer.from('more')));
      const lockedAgain = await outcome(nsm.lockPcr(pcr));
      const isSame = (await nsm.describePcr(pcr)).value.equals(value);
      logger.log('info', `test.register-${index}`, {
        locked,
        value: value.toString('hex'),
        extended,
        lockedAgain,
        isSame,
      });
    }
    return {};
  },
};

await runEnclave(enclavePlatform(), bootTable.phase(extend));
