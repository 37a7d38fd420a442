/**
 * The attestation-bound Decrypt, against the emulated KMS and the emulated security module: whoever asks is a program of its own, so that what the
 * emulated KMS (in this process) takes of the processor is told apart.
 */
import { ENCRYPTION_CONTEXT } from '../../cli/demo/parts.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import { startScript } from '../program.ts';
import type { Progress } from '../progress.ts';
import { Results } from '../report/results.ts';
import type { DecryptFacts, StepCost } from './loads/decrypt.ts';
import { socketNamed } from './points.ts';

const TIMES = 10;
/** For the keys of RSA most of it. */
const PLANNED_MS = TIMES * 300;

function factsOf(stack: Stack): DecryptFacts {
  const { options, parts, enclaveFolder } = stack;
  const { kms } = parts.cloud;
  return {
    stateFolder: `${options.root}/sim`,
    enclaveFolder,
    acraProgram: options.acraProgram,
    kms: { url: kms.url, caPem: kms.caPem, host: kms.host, port: kms.port },
    keyArn: parts.keyArn,
    encryptionContext: ENCRYPTION_CONTEXT,
    imdsSocketPath: socketNamed(stack, 'imds.sock'),
  };
}

/** @param signal ends it between rounds */
export function planDecrypt(rounds: number, progress: Progress) {
  progress.plan(rounds * PLANNED_MS);
  return async (stack: Stack, signal: AbortSignal): Promise<Results> => {
    await using stops = new AsyncDisposableStack();
    const program = startScript('chain/loads/decrypt.ts', JSON.stringify(factsOf(stack)));
    stops.defer(() => program.stop());
    await program.line();
    const results = new Results();
    for (let round = 0; round < rounds; round += 1) {
      signal.throwIfAborted();
      progress.step(`round ${round + 1} of ${rounds}: attested Decrypt`, PLANNED_MS);
      const before = process.cpuUsage();
      program.write(`${TIMES}\n`);
      const told = JSON.parse(await program.line()) as StepCost;
      const { user, system } = process.cpuUsage(before);
      for (const [step, { tookMs, cpuMs }] of Object.entries(told))
        results.add({ step }, 'decrypt', round, { tookMs, cpuMs });
      results.add({ step: 'emulated KMS' }, 'decrypt', round, { cpuMs: (user + system) / 1_000 / TIMES });
    }
    return results;
  };
}

/** @returns Markdown */
export function decryptTable(results: Results): string {
  const middle = (step: string, measure: 'tookMs' | 'cpuMs') => results.summary({ step }, 'decrypt', measure).middle;
  const rest = (measure: 'tookMs' | 'cpuMs') =>
    ['key', 'document', 'unwrapping'].reduce((left, step) => left - middle(step, measure), middle('whole', measure));
  const row = (what: string, tookMs: number | undefined, cpuMs: number) =>
    `| ${what} | ${tookMs?.toFixed(1) ?? ''} | ${cpuMs.toFixed(1)} |`;
  const of = (what: string, step: string) => row(what, middle(step, 'tookMs'), middle(step, 'cpuMs'));
  return [
    '| step | ms | ms of CPU of the one who asks |',
    '| --- | --- | --- |',
    of('RSA-2048 key pair', 'key'),
    of('attestation document: signed by the emulated module, by the device on hardware', 'document'),
    row('request and answer: connection, TLS, signature, waiting for the emulated KMS', rest('tookMs'), rest('cpuMs')),
    of('unwrapping the CMS EnvelopedData', 'unwrapping'),
    of('**whole**', 'whole'),
    row(
      'besides, the emulated KMS itself: verifies the document, seals the answer',
      undefined,
      middle('emulated KMS', 'cpuMs'),
    ),
  ].join('\n');
}
