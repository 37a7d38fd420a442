/** The options that say what an enclave must prove: the same for whoever asks once and for whoever connects. */
import type { Command } from 'commander';
import { collect, parseDuration } from '../option-values.ts';

export function withDemandOptions(command: Command): Command {
  return command
    .option('--measurements <file>', 'measurements.json of the expected image, or what `measurements sign` wrote')
    .option('--require <file>', 'PEM of a public key that must have signed them; may be given several times', collect)
    .option('--measurements-max-age <duration>', 'how long ago they may have been issued, such as 30d', parseDuration)
    .option('--no-measurements', 'judge no measurement: which program runs stays open')
    .option('--pcr <index=hex>', 'what a register must show; may be given several times', collect)
    .option('--role-arn <arn>', 'PCR3: the IAM role of the parent instance')
    .option('--instance-id <id>', 'PCR4: the parent instance')
    .option('--require-attested-tls-key', 'the TLS key must be born in the enclave (tls.key: attested)')
    .option('--allow-report-guard', 'accept a guard that reports what it cannot protect, and lets it pass')
    .option('--allow-no-guard', 'accept acra-server in line, without a guard (ingress.tls: passthrough)')
    .option('--allow-any-relation', 'accept values for relations that nobody listed (guard.relations: any)')
    .option('--allow-open-migrations', 'accept columns whose existing rows are being encrypted')
    .option('--trust-root <file>', 'trust this root (PEM) and not that of AWS: for emulated enclaves');
}
