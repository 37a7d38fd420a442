/** The back end of the machine's AF_VSOCK: one that the environment names, or ours (scripts/build-vhost-device-vsock.sh). */
import { join } from 'node:path';
import { sha256OfFile } from '../../../eif/bom/file-digest.ts';
import { cachedTool } from './cached-tool.ts';
import { VmToolError } from './errors.ts';
import { outputOf } from './program.ts';
import type { ToolContext } from './recipe.ts';

const SCRIPT = 'build-vhost-device-vsock.sh';
const PATCH = 'patches/vhost-device-vsock-nitro.patch';
const PROGRAM = 'bin/vhost-device-vsock';

/**
 * The guest may have that many bytes on their way, so it never makes a packet of more than one descriptor, which this back end
 * would drop: Linux splits what is larger than 32768 bytes.
 */
const OPTIONS = 'tx-buffer-size=32000';

export interface VhostDeviceVsockTool {
  readonly program: string;
  /** To be joined to each --vm argument with a comma. */
  readonly options: string;
}

/** @throws VmToolError VM_TOOL_PROGRAM, VM_TOOL_COMPILER, VM_TOOL_BUILD, VM_TOOL_CHANGED */
export async function provideVhostDeviceVsock(context: ToolContext): Promise<VhostDeviceVsockTool> {
  const named = context.environment['VHOST_DEVICE_VSOCK'];
  if (named) {
    await requireRunning(named, context);
    return { program: named, options: OPTIONS };
  }
  const scripts = join(context.projectFolder, 'scripts');
  const folder = await cachedTool(
    {
      name: 'vhost-device-vsock',
      script: SCRIPT,
      args: [],
      inputs: {
        compiler: await compiler(join(scripts, SCRIPT), context),
        patch: await sha256OfFile(join(scripts, PATCH)),
      },
      files: [PROGRAM],
    },
    context,
  );
  return { program: join(folder, PROGRAM), options: OPTIONS };
}

async function compiler(script: string, { environment, signal }: ToolContext): Promise<string> {
  try {
    return await outputOf('bash', [script, '--compiler'], environment, signal);
  } catch (cause) {
    signal.throwIfAborted();
    throw new VmToolError('VM_TOOL_COMPILER', 'no cargo and rustc that are recent enough', { cause });
  }
}

async function requireRunning(program: string, { environment, signal }: ToolContext): Promise<void> {
  await outputOf(program, ['--version'], environment, signal).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new VmToolError('VM_TOOL_PROGRAM', `VHOST_DEVICE_VSOCK=${program} does not run`, { cause });
  });
}
