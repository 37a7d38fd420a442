/** What building a kernel needs of a Debian machine, and which compiler it would be built with. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { KernelError } from '../build-errors.ts';

const run = promisify(execFile);

const PACKAGES: readonly string[] = [
  'bc',
  'binutils',
  'bison',
  'debian-archive-keyring',
  'flex',
  'gcc',
  'libc6-dev',
  'libelf-dev',
  'make',
  'xz-utils',
];
/** dpkg-query's own placeholder. */
const STATUS_FIELD = '$' + '{Status}';
const INSTALLED = 'install ok installed';

/** @throws KernelError KERNEL_PACKAGES_MISSING, naming all of them */
export async function requirePackages(packages: readonly string[] = PACKAGES): Promise<void> {
  const states = await Promise.all(packages.map(async (name) => ({ name, state: await stateOf(name) })));
  const missing = states.filter(({ state }) => state !== INSTALLED).map(({ name }) => name);
  if (missing.length === 0) return;
  throw new KernelError('KERNEL_PACKAGES_MISSING', `building the kernel needs: ${missing.join(' ')}`, {
    action: `Run as root: apt-get install --no-install-recommends ${missing.join(' ')}`,
  });
}

/** Not installed, and no dpkg at all, are the same here. */
async function stateOf(name: string): Promise<string> {
  try {
    return (await run('dpkg-query', ['--show', `--showformat=${STATUS_FIELD}`, name])).stdout;
  } catch {
    return 'unknown';
  }
}

export type ToolVersions = Readonly<Record<'compiler' | 'linker', string>>;

/** First lines of what compiler and linker say of themselves: both leave traces in a kernel. */
export async function toolVersions(): Promise<ToolVersions> {
  const firstLine = async (program: string): Promise<string> => {
    const { stdout } = await run(program, ['--version'], { env: { ...process.env, LC_ALL: 'C' } });
    return stdout.split('\n')[0] ?? '';
  };
  return { compiler: await firstLine('gcc'), linker: await firstLine('ld') };
}
