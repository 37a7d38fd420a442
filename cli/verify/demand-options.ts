/** The options that say what an enclave must prove: the same for whoever asks once and for whoever connects. */
import { type Command, InvalidArgumentError } from 'commander';
import { collect, parseDuration } from '../option-values.ts';

/** The last of several would be judged by, and the others look demanded. */
function onlyFile(file: string, before: string | false | undefined): string {
  if (before === undefined) return file;
  throw new InvalidArgumentError(
    before === false ? 'contradicts --no-measurements' : 'was given before: there can be one',
  );
}

/** Before the options are there: their own listeners come later, and would have overwritten the name of the file. */
function refuseBoth(command: Command): Command {
  return command.on('option:no-measurements', () => {
    if (typeof command.getOptionValue('measurements') !== 'string') return;
    command.error("error: option '--no-measurements' contradicts --measurements");
  });
}

export function withDemandOptions(command: Command): Command {
  return refuseBoth(command)
    .option(
      '--measurements <file>',
      'measurements.json of the expected image, or what `measurements sign` wrote',
      onlyFile,
    )
    .option('--require <file>', 'PEM of a public key that must have signed them; may be given several times', collect)
    .option('--measurements-max-age <duration>', 'how long ago they may have been issued, such as 30d', parseDuration)
    .option('--no-measurements', 'judge no measurement: which program runs stays open')
    .option('--pcr <index=hex>', 'what a register must show; may be given several times', collect)
    .option('--role-arn <arn>', 'PCR3: the IAM role of the parent instance')
    .option('--instance-id <id>', 'PCR4: the parent instance')
    .option('--require-attested-tls-key', 'the TLS key must be born in the enclave (tls.key: attested)')
    .option(
      '--require-pinned-keys',
      'no older keys can be in use: they are in the image, or keys.pin names one key set',
    )
    .option('--allow-report-guard', 'accept a guard that reports what it cannot protect, and lets it pass')
    .option(
      '--allow-no-guard',
      'accept acra-server in line, without a guard (ingress.tls: passthrough), or no Acra at all',
    )
    .option('--allow-any-relation', 'accept values for relations that nobody listed (guard.relations: any)')
    .option('--allow-open-migrations', 'accept columns whose existing rows are being encrypted')
    .option(
      '--allow-policy-pin',
      'accept keys that the key policy of KMS pins, which no attestation shows (keys.pin: policy)',
    )
    .option('--trust-root <file>', 'trust this root (PEM) and not that of AWS: for emulated enclaves');
}
