/** QEMU with the `nitro-enclave` machine: one that the environment names, or ours (scripts/build-qemu.sh). */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sha256OfFile } from '../../system/files/file-digest.ts';
import { cachedTool, type ToolContext } from './cached-tool.ts';
import { VmToolError } from './errors.ts';
import { outputOf } from './program.ts';

/** Of Debian's source package in trixie; QEMU_VERSION names another one. */
const QEMU_VERSION = '1:10.0.13+ds-0+deb13u1';

const PATCH = 'patches/qemu-virtio-nsm.patch';
const PROGRAM = 'bin/qemu-system-x86_64';
const FIRMWARE_FOLDER = 'share';
const FIRMWARE = ['qboot.rom', 'linuxboot_dma.bin', 'pvh.bin', 'kvmvapic.bin'];

export interface QemuTool {
  readonly program: string;
  /** For QEMU's -L. */
  readonly firmwareFolder: string;
}

/** @throws VmToolError VM_TOOL_PROGRAM, VM_TOOL_COMPILER, VM_TOOL_SOURCE, VM_TOOL_BUILD, VM_TOOL_CHANGED */
export async function provideQemu(context: ToolContext): Promise<QemuTool> {
  const { environment } = context;
  const named = environment['QEMU_NITRO'];
  if (named) return namedQemu(named, context);
  const folder = await cachedTool(
    {
      name: 'qemu',
      script: 'build-qemu.sh',
      args: [environment['QEMU_VERSION'] || QEMU_VERSION],
      inputs: {
        compiler: await compiler(context),
        patch: await sha256OfFile(join(context.projectFolder, 'scripts', PATCH)),
        meson: environment['MESON_VERSION'] || 'the recipe’s own',
      },
      files: [PROGRAM, ...FIRMWARE.map((name) => join(FIRMWARE_FOLDER, name))],
    },
    context,
  );
  return { program: join(folder, PROGRAM), firmwareFolder: join(folder, FIRMWARE_FOLDER) };
}

async function compiler({ environment, signal }: ToolContext): Promise<string> {
  try {
    return (await outputOf('gcc', ['--version'], environment, signal)).split('\n')[0] ?? '';
  } catch (cause) {
    signal.throwIfAborted();
    throw new VmToolError('VM_TOOL_COMPILER', 'gcc does not answer', { cause });
  }
}

async function namedQemu(program: string, { environment, signal }: ToolContext): Promise<QemuTool> {
  const machines = await outputOf(program, ['-M', 'help'], environment, signal).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new VmToolError('VM_TOOL_PROGRAM', `QEMU_NITRO=${program} does not run`, { cause });
  });
  if (!machines.includes('nitro-enclave')) {
    throw new VmToolError('VM_TOOL_PROGRAM', `QEMU_NITRO=${program} has no nitro-enclave machine`, {
      allowed: 'QEMU 9.2 or newer, built with libcbor and gnutls',
    });
  }
  return { program, firmwareFolder: namedFirmware(program, environment['QEMU_NITRO_FIRMWARE']) };
}

/** Beside the program, as QEMU itself installs it and as our recipe does. */
function namedFirmware(program: string, named: string | undefined): string {
  const share = join(dirname(program), '../share');
  const folders = named ? [named] : [join(share, 'qemu'), share];
  const found = folders.find((folder) => existsSync(join(folder, 'qboot.rom')));
  if (found !== undefined) return found;
  throw new VmToolError('VM_TOOL_PROGRAM', 'no qboot.rom for the program of QEMU_NITRO', {
    found: `none in ${folders.join(', ')}`,
    action: 'Set QEMU_NITRO_FIRMWARE to the folder that has it.',
  });
}
