/**
 * The command lines of QEMU's nitro-enclave machine and of the vhost-user vsock device that it needs.
 *
 * Specification: QEMU docs/system/i386/nitro-enclave.rst; vhost-device-vsock 0.3; vm-tier, "Pitfalls". Software emulation
 * always: it behaves the same everywhere, and KVM does not start this machine on every host.
 */
import { join } from 'node:path';
import type { QemuRun } from '../../../config/enclave-run.ts';
import type { Cid } from '../../../wire/brands.ts';

/**
 * Since 6.17 (and in stable kernels) Linux puts a packet of more than 32 KiB into several descriptors, which the device
 * cannot read: the connection would stall for ever. With a smaller buffer the guest never sends such a packet.
 */
const TX_BUFFER_BYTES = 32_000;

/** QEMU's end of the device. */
export function vhostSocketPath(runtimeFolder: string): string {
  return join(runtimeFolder, 'vhost.sock');
}

/** A comma in a value would begin the next option; QEMU takes two for one. */
function value(text: string): string {
  return text.replaceAll(',', ',,');
}

/** @param vsockPath the host's end: `path` to reach the guest, `path_PORT` for what the guest dials. */
export function vhostArguments(cid: Cid, vsockPath: string, vhostSocket: string): readonly string[] {
  const device = ['--guest-cid', String(cid), '--uds-path', vsockPath, '--socket', vhostSocket];
  return [...device, '--tx-buffer-size', String(TX_BUFFER_BYTES)];
}

export function qemuArguments(run: QemuRun, vhostSocket: string): readonly string[] {
  return [
    ...(run.firmware === undefined ? [] : ['-L', run.firmware]),
    ...['-M', `nitro-enclave,vsock=vsock,id=${run.name}`],
    ...['-chardev', `socket,id=vsock,path=${value(vhostSocket)}`],
    ...['-kernel', run.image, '-m', `${run.memoryMiB}M`, '-smp', String(run.cpuCount)],
    ...['-accel', 'tcg', '-cpu', 'max', '-no-reboot'],
    ...['-nodefaults', '-nographic', '-monitor', 'none', '-serial', 'stdio'],
  ];
}
