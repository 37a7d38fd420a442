/** On what was measured: no number means anything without it. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, loadavg, release, totalmem } from 'node:os';
import { basename } from 'node:path';

export interface Facts {
  readonly machine: string;
  readonly programs: string;
  /** Others' work shows in it. */
  readonly load: string;
}

/** When and on what it was measured. @param of which program it is, where that is not among the facts */
export function measuredOn({ machine, programs, load }: Facts, of?: string): string {
  const subject = [...(of === undefined ? [] : [of]), machine, programs, `load before ${load}`].join('; ');
  return `${new Date().toISOString().slice(0, 10)}: ${subject}.`;
}

/** The line above a report. @param of as in `measuredOn` */
export function headLine(facts: Facts, rounds: number, seconds: number | undefined, of?: string): string {
  const each = seconds === undefined ? '' : ` of ${seconds} s`;
  return `${measuredOn(facts, of)} ${rounds} interleaved round${rounds === 1 ? '' : 's'}${each}; the middle, in brackets the least and the most`;
}

/** @param commands each program with what has it say its version */
export function machineFacts(commands: Readonly<Record<string, readonly string[]>>): Facts {
  const [first] = cpus();
  const versions = Object.entries(commands).flatMap(([name, args]) => {
    const { stdout, stderr, error } = spawnSync(name, args, { encoding: 'utf8' });
    const version = error ? undefined : /\d+\.\d+[\w.+-]*/.exec(`${stdout}${stderr}`)?.[0];
    return version === undefined ? [] : [`${basename(name)} ${version}`];
  });
  const distribution = /PRETTY_NAME="(.*)"/.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  return {
    machine: `${cpus().length} cores (${first?.model ?? arch()}), ${Math.round(totalmem() / 2 ** 30)} GiB, ${distribution}, Linux ${release()}`,
    programs: [`Node ${process.versions.node}`, ...versions].join(', '),
    load: loadavg()
      .map((each) => each.toFixed(1))
      .join(', '),
  };
}
