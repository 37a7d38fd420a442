/** The `programs` section of enclave.yaml that follows from an image, and what else of it an operator should know, as YAML to paste. */
import { Document } from 'yaml';
import { harmlessText } from '../../../runtime/harmless-text.ts';
import type { ProgramDefaults } from './defaults.ts';

const NAME = 'app';

/** @param origin which image, in one line */
export function programsYaml(
  { command, user, environment, workingFolder, stopSignal, probe, ports, notes }: ProgramDefaults,
  origin: string,
): string {
  const document = new Document({
    programs: {
      [NAME]: {
        command,
        user: user.uid === user.gid ? user.uid : `${user.uid}:${user.gid}`,
        ...(Object.keys(environment).length === 0 ? {} : { environment }),
        ...(workingFolder === '/' ? {} : { workingFolder }),
        ...(stopSignal === undefined ? {} : { stopSignal }),
        ...(probe === undefined ? {} : { probe: { command: probe } }),
      },
    },
  });
  document.commentBefore = [origin, ...notes].map((line) => ` ${harmlessText(line)}`).join('\n');
  if (ports.length > 0) document.comment = ingressHint(ports);
  return document.toString({ lineWidth: 120 });
}

/** The programs may listen elsewhere than the image says, so it is only a proposal. */
function ingressHint(ports: readonly number[]): string {
  const entries = ports.flatMap((port) => [`  port-${port}:`, `    to: tcp://127.0.0.1:${port}`]);
  return ['the image says that it listens on these ports:', 'ingress:', ...entries]
    .map((line) => ` ${line}`)
    .join('\n');
}
