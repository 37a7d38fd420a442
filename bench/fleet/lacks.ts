/** What a machine must have for a fleet, beside what npm brings. */
import { spawnSync } from 'node:child_process';
import { isInstalled } from '../program.ts';

const PROGRAMS = [
  { program: 'ip', package: 'iproute2' },
  { program: 'tc', package: 'iproute2' },
  { program: 'haproxy', package: 'haproxy' },
  { program: 'setpriv', package: 'util-linux' },
];

/** @returns what is missing, and what to do; undefined where nothing is */
export function lacks(): string | undefined {
  if (process.getuid?.() !== 0) {
    return 'a fleet needs root: each host has a network namespace of its own (ip netns); run it with sudo';
  }
  const missing = PROGRAMS.filter(({ program }) => !isInstalled(program));
  if (missing.length > 0) {
    const names = missing.map(({ program }) => program).join(', ');
    return `a fleet needs ${names}: apt-get install ${[...new Set(missing.map((each) => each.package))].join(' ')}`;
  }
  const { status, stderr } = spawnSync('ip', ['netns', 'exec', 'acra-fleet-none', 'true'], { encoding: 'utf8' });
  return status === 0 || /No such file/.test(stderr)
    ? undefined
    : `network namespaces cannot be used here: ${stderr.trim()}`;
}
