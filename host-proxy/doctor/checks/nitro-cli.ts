/**
 * Whether nitro-cli is there and can keep its sockets and its log.
 * Source: aws-nitro-enclaves-cli, src/common (sockets in /run/nitro_enclaves, log in /var/log/nitro_enclaves).
 */
import type { Check } from '../check.ts';
import { failure, ok, skipped } from '../check.ts';

const FOLDERS = ['/run/nitro_enclaves', '/var/log/nitro_enclaves'];

export const nitroCliCheck: Check = {
  name: 'nitro-cli',
  checked: 'nitro-cli and its folders',
  async examine(context) {
    const { run } = context.config.enclave;
    if (run?.driver !== 'nitro-cli') return skipped('`enclave.run` does not use nitro-cli');
    const answer = await context.system.run(run.program, ['--version'], context.signal);
    if (!answer) {
      return failure(
        `there is no program ${run.program}`,
        'Install it (Amazon Linux 2023: `dnf install aws-nitro-enclaves-cli`), or name it in `enclave.run.program`.',
      );
    }
    if (answer.code !== 0) {
      return failure(`${run.program} --version ended with code ${answer.code}`, 'Install nitro-cli again.');
    }
    const closed = FOLDERS.filter((folder) => !context.system.status(folder)?.writable);
    if (closed.length === 0) return ok(answer.stdout.trim());
    return failure(
      `${answer.stdout.trim()}, but this user may not write to ${closed.join(' and ')}`,
      'The folders belong to root:ne with mode 775, and the service’s user to the group ne. nitro-cli’s package makes ' +
        'them: `systemd-tmpfiles --create`, or install it again.',
    );
  },
};
