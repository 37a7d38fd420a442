/** Whether the user and the group that the systemd unit names exist. Local accounts only: the service's user is one. */
import { ok, onNitro, warning } from '../check.ts';

const namesIn = (text: string | undefined) => (text ?? '').split('\n').map((line) => line.split(':')[0] ?? '');

export const serviceUserCheck = onNitro({
  name: 'service-user',
  checked: 'the service’s user and the group ne',
  needsNoConfig: true,
  examine({ system }) {
    const absent = [
      ...(namesIn(system.readText('/etc/passwd')).includes('acra-enclave') ? [] : ['the user acra-enclave']),
      ...(namesIn(system.readText('/etc/group')).includes('ne') ? [] : ['the group ne']),
    ];
    if (absent.length === 0) return ok('acra-enclave and ne exist');
    return warning(
      `${absent.join(' and ')} ${absent.length === 1 ? 'does' : 'do'} not exist, so the systemd unit cannot start`,
      '`systemd-sysusers` makes both from what `make install` put there.',
    );
  },
});
