/** When the certificates in the enclave image end, as the image says (eif/image-facts.ts): told 30 days ahead. */
import { describeEnd, lifeOf } from '../../../wire/certificate-end.ts';
import type { Check } from '../check.ts';
import { failure, ok, skipped, warning } from '../check.ts';
import { factsOfImage, NO_FACTS } from '../facts-of-image.ts';

const ADVICE =
  'Renew it. For a server certificate of the same key nothing is to be sealed: put it into the measured folder, build the image ' +
  'again, and let the key policy name the new measurements. Another key: `acra-enclave keys seal`.';

export const certificatesCheck: Check = {
  name: 'certificates',
  checked: 'certificates in the enclave image',
  examine(context) {
    const ends = factsOfImage(context)?.certificateEnds;
    if (ends === undefined || ends.length === 0) return skipped(NO_FACTS);
    const nowMs = context.system.clock.nowMs();
    const sorted = ends.toSorted((a, b) => a.endsMs - b.endsMs);
    const told = (life: ReturnType<typeof lifeOf>) =>
      sorted
        .filter((end) => lifeOf(end, nowMs) === life)
        .map((end) => describeEnd(end, nowMs))
        .join('; ');
    const expired = told('expired');
    const ending = told('ending');
    if (expired !== '') return failure([expired, ending].filter((text) => text !== '').join('; '), ADVICE);
    if (ending !== '') return warning(ending, ADVICE);
    return ok(told('valid'));
  },
};
