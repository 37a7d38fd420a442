/** What boots an enclave image without AWS: QEMU and what stands behind its vsock. docs/vm-tier.md tells the whole story. */
import { fileURLToPath } from 'node:url';
import { userCacheFolder } from '../cache-folder.ts';
import type { ToolContext } from './cached-tool.ts';
import { provideQemu, type QemuTool } from './qemu.ts';
import { provideVhostDeviceVsock } from './vhost-device-vsock.ts';

export const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

export interface VmTools {
  readonly qemu: QemuTool;
  /** The program. */
  readonly vhostDeviceVsock: string;
}

/**
 * Builds what is not in the cache: about 4 minutes on 2 cores the first time, half a second later.
 * QEMU_NITRO (with QEMU_NITRO_FIRMWARE) and VHOST_DEVICE_VSOCK name ready programs instead.
 * @throws VmToolError VM_TOOL_PROGRAM, VM_TOOL_COMPILER, VM_TOOL_SOURCE, VM_TOOL_BUILD, VM_TOOL_CHANGED; the signal's reason
 */
export async function provideVmTools(
  options: Pick<ToolContext, 'onProgress' | 'signal'> & Partial<ToolContext>,
): Promise<VmTools> {
  const environment = options.environment ?? process.env;
  const context = { projectFolder: PROJECT, cacheFolder: userCacheFolder(environment, 'vm'), environment, ...options };
  // One after the other: each takes all processors.
  const vhostDeviceVsock = await provideVhostDeviceVsock(context);
  return { qemu: await provideQemu(context), vhostDeviceVsock };
}
