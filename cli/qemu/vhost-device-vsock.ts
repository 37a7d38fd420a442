/** The back end of the machine's AF_VSOCK: one that the environment names, or ours (scripts/build-vhost-device-vsock.sh). */
import { join } from 'node:path';
import { sha256OfFile } from '../../system/files/file-digest.ts';
import { cachedTool, type ToolContext } from './cached-tool.ts';
import { VmToolError } from './errors.ts';
import { outputOf } from './program.ts';

const SCRIPT = 'build-vhost-device-vsock.sh';
const PATCH = 'patches/vhost-device-vsock-nitro.patch';
const PROGRAM = 'bin/vhost-device-vsock';

/** The program. @throws VmToolError VM_TOOL_PROGRAM, VM_TOOL_COMPILER, VM_TOOL_BUILD, VM_TOOL_CHANGED */
export async function provideVhostDeviceVsock(context: ToolContext): Promise<string> {
  const named = context.environment['VHOST_DEVICE_VSOCK'];
  if (named) {
    await requireRunning(named, context);
    return named;
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
  return join(folder, PROGRAM);
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
