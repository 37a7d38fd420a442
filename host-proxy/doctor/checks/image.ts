/**
 * Whether the enclave image is there, an EIF, and readable: by this process, and on a Nitro instance also by the systemd
 * unit, which has a user of its own and its own view of some folders. What the image measures, nitro-cli and KMS tell.
 */
import type { Check, CheckContext, Finding } from '../check.ts';
import { AS_ROOT, failure, ok, skipped, warning } from '../check.ts';

/** ".eif" (nitro-formats, "EIF header"). */
const MAGIC = '.eif';
const BYTES_PER_MIB = 1024 * 1024;
/** ProtectHome= and PrivateTmp= of the unit. */
const HIDDEN_FROM_UNIT = /^\/(home|root|run\/user|tmp|var\/tmp)\//;
/** Prints 0 or 1. Without root, or without that user, runuser(1) prints nothing. */
const MAY_SERVICE_READ = ['-u', 'acra-enclave', '--', 'sh', '-c', 'test -r "$1"; echo "$?"', 'sh'];

/** Why the unit would not find the image that this process can read. */
async function problemOfUnit({ config, system, signal }: CheckContext, image: string): Promise<string | undefined> {
  if (config.enclave.transport !== 'vsock') return undefined;
  if (HIDDEN_FROM_UNIT.test(image)) return 'the systemd unit does not see that folder';
  const answer = await system.run('runuser', [...MAY_SERVICE_READ, image], signal);
  return answer?.stdout.trim() === '1' ? 'the user acra-enclave may not read it' : undefined;
}

function absent({ system }: CheckContext, image: string): Finding {
  if (system.isHidden(image)) return failure(`this user may not look whether there is ${image}`, AS_ROOT);
  return failure(`there is no ${image}`, 'Copy the image there (`make eif` builds it), or mend `enclave.run.image`.');
}

export const imageCheck: Check = {
  name: 'enclave-image',
  checked: 'the enclave image',
  async examine(context) {
    const { config, system } = context;
    const { run } = config.enclave;
    if (!run) return skipped('there is no `enclave.run`: something else starts the enclave');
    const status = system.status(run.image);
    if (!status) return absent(context, run.image);
    if (!status.readable) return failure(`${run.image} cannot be read`, 'Make it readable for the user acra-enclave.');
    const found = `${run.image}, ${(status.bytes / BYTES_PER_MIB).toFixed(1)} MiB`;
    if (system.readRange(run.image, 0, MAGIC.length)?.toString('latin1') !== MAGIC) {
      return failure(
        `${found}, is not an enclave image`,
        'Copy it again; where it was built, `acra-enclave eif verify` checks it whole.',
      );
    }
    const problem = await problemOfUnit(context, run.image);
    if (problem === undefined) return ok(found);
    return warning(
      `${found}, but ${problem}`,
      'For `systemctl start acra-enclave`: copy it to /var/lib/acra-enclave, `chown root:acra-enclave` and `chmod 640` it.',
    );
  },
};
