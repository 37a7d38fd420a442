/**
 * What the kernel's command line cannot set. A setting that this kernel does not have is reported, not demanded: another
 * kernel (nitro-cli's) may lack the feature that it restricts.
 */
import { writeFileSync } from 'node:fs';
import type { Logger } from '../../runtime/log.ts';

interface KernelSetting {
  readonly file: string;
  readonly value: string;
}

const SETTINGS: readonly KernelSetting[] = [
  // Nobody traces another process, not even root (Documentation/admin-guide/LSM/Yama.rst).
  { file: '/proc/sys/kernel/yama/ptrace_scope', value: '3' },
  { file: '/proc/sys/kernel/kptr_restrict', value: '2' },
  { file: '/proc/sys/kernel/dmesg_restrict', value: '1' },
  { file: '/proc/sys/fs/suid_dumpable', value: '0' },
  // A triple fault ends every virtual machine, whatever `reboot=` says on the measured command line.
  { file: '/sys/kernel/reboot/type', value: 'triple' },
];

export function applyKernelSettings(logger: Logger): void {
  for (const { file, value } of SETTINGS) {
    try {
      writeFileSync(file, value);
    } catch (error) {
      logger.log('warn', 'machine.setting-missing', { file, reason: String(error) });
    }
  }
}
