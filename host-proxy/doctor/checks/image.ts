/** Whether the enclave image is there, readable and an EIF. What it measures, nitro-cli and KMS tell. */
import type { Check } from '../check.ts';
import { failure, ok, skipped } from '../check.ts';

/** ".eif" (nitro-formats, "EIF header"). */
const MAGIC = '.eif';
const BYTES_PER_MIB = 1024 * 1024;

export const imageCheck: Check = {
  name: 'enclave-image',
  checked: 'the enclave image',
  examine({ config, system }) {
    const { run } = config.enclave;
    if (!run) return skipped('there is no `enclave.run`: something else starts the enclave');
    const status = system.status(run.image);
    if (!status)
      return failure(
        `there is no ${run.image}`,
        'Copy the image there (`make eif` builds it), or mend `enclave.run.image`.',
      );
    if (!status.readable) return failure(`${run.image} cannot be read`, 'Make it readable for the user acra-enclave.');
    const found = `${run.image}, ${(status.bytes / BYTES_PER_MIB).toFixed(1)} MiB`;
    if (system.readStart(run.image, MAGIC.length)?.toString('latin1') === MAGIC) return ok(found);
    return failure(
      `${found}, is not an enclave image`,
      'Copy it again; where it was built, `acra-enclave eif verify` checks it whole.',
    );
  },
};
