/** `acra-enclave measurements sign`: a provider signs the measurements of a build, an auditor what the provider signed. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import type { MeasurementsContent } from '../../../attestation/published/content.ts';
import { type Envelope, encodeEnvelope, withSignatureOf } from '../../../attestation/published/envelope.ts';
import { MeasurementsError } from '../../../attestation/published/errors.ts';
import { examinePublished, parsePublished } from '../../../attestation/published/read.ts';
import { compareContent } from '../../../attestation/published/same.ts';
import { toUnsignedEnvelope } from '../../../attestation/published/sign.ts';
import { gitCommit, type Source, sourceUri } from '../../../attestation/published/statement.ts';
import { writeOutputFile } from '../../../eif/output-file.ts';
import { parentRegisters } from '../../../eif/pcr.ts';
import { CliError } from '../../errors.ts';
import { contentJson, printContent } from '../../measurements/describe.ts';
import { readMeasurements, readRequiredKeys, readSigningKeyFile } from '../../measurements/files.ts';
import { collect, parseDuration } from '../../option-values.ts';
import { bold, green, printJson, printLine } from '../../output.ts';

interface SignOptions {
  readonly key: string;
  readonly passphraseFile?: string;
  readonly out: string;
  readonly expires?: number;
  readonly source?: string;
  readonly roleArn?: string;
  readonly instanceId?: string;
  readonly sameAs?: string;
  readonly require?: readonly string[];
  readonly json?: boolean;
}

function parseSource(text: string): Source {
  const at = text.lastIndexOf('@');
  const [uri, commit] = [text.slice(0, at), text.slice(at + 1)];
  if (at > 0 && sourceUri.safeParse(uri).success && gitCommit.safeParse(commit).success)
    return { uri, gitCommit: commit };
  throw new CliError('CLI_OPTION', '--source does not name a commit', {
    found: text,
    allowed: 'URL@COMMIT with the whole hash of the commit; names of branches and tags move',
  });
}

function newEnvelope(content: MeasurementsContent, options: SignOptions, nowMs: number): Envelope {
  const { expires, source } = options;
  if (expires === undefined) {
    throw new CliError('CLI_OPTION', 'say how long the signers stand to it', { allowed: '--expires, such as 90d' });
  }
  return toUnsignedEnvelope(content, {
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + expires,
    parentPcrs: new Map(parentRegisters(options)),
    ...(source === undefined ? {} : { source: parseSource(source) }),
  });
}

/** What the first signer said cannot be changed by the next one. */
function refuseChanges({ expires, source, roleArn, instanceId }: SignOptions): void {
  const options = { '--expires': expires, '--source': source, '--role-arn': roleArn, '--instance-id': instanceId };
  const given = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (given.length === 0) return;
  throw new CliError('CLI_OPTION', 'the file is signed already: its content is fixed', { found: given.join(', ') });
}

async function requireSame(theirs: MeasurementsContent, file: string): Promise<void> {
  const [first, ...others] = compareContent(parsePublished(await readMeasurements(file)).content, theirs);
  if (first === undefined) return;
  const fields = [first, ...others].map(({ field }) => field).join(', ');
  throw new MeasurementsError('MEASUREMENTS_DIFFER', `what would be signed differs from ${file} in ${fields}`, {
    found: `${first.field} ${first.theirs ?? 'nothing'}`,
    allowed: first.own ?? 'nothing',
  });
}

async function envelopeToSign(file: string, options: SignOptions, nowMs: number): Promise<Envelope> {
  const bytes = await readMeasurements(file);
  const demands = { require: await readRequiredKeys(options.require ?? []), maxAgeMs: undefined, nowMs };
  const { file: published, claims } = examinePublished(bytes, demands);
  for (const { error } of claims) if (error !== undefined) throw error;
  if (options.sameAs !== undefined) await requireSame(published.content, options.sameAs);
  if (published.kind === 'plain') return newEnvelope(published.content, options, nowMs);
  refuseChanges(options);
  return published.envelope;
}

async function sign(file: string, options: SignOptions): Promise<void> {
  const key = await readSigningKeyFile(options.key, options.passphraseFile);
  const envelope = withSignatureOf(await envelopeToSign(file, options, Date.now()), key);
  const text = Buffer.from(encodeEnvelope(envelope));
  const published = parsePublished(text);
  await writeOutputFile(resolve(options.out), (output) => output.write(text, 0));
  if (options.json) {
    printJson({ file: resolve(options.out), keyId: key.keyId, measurements: contentJson(published) });
    return;
  }
  printContent(published);
  printLine(`${green('signed')} ${bold(options.out)} by the key with SHA-256 ${key.keyId}`);
}

export function signCommand(): Command {
  return new Command('sign')
    .description('Sign the measurements.json of a build, or add a signature to what others have signed.')
    .argument('<file>', 'measurements.json, or what `measurements sign` wrote')
    .requiredOption('-k, --key <file>', 'PEM of the private key: Ed25519, P-256 or P-384; PKCS #8 or SEC 1')
    .option('--passphrase-file <file>', 'of an encrypted key')
    .requiredOption('-o, --out <file>', 'the signed file; may be the argument itself')
    .option(
      '--expires <duration>',
      'how long the signers stand to it, such as 90d; fixed by the first one',
      parseDuration,
    )
    .option('--source <url@commit>', 'where the source is, with the whole hash of the commit')
    .option('--role-arn <arn>', 'PCR3 too: the role of the parent instance')
    .option('--instance-id <id>', 'PCR4 too: one parent instance and no other')
    .option('--same-as <file>', 'sign only when it says what this measurements.json says, which you built yourself')
    .option('--require <file>', 'sign only what this public key has signed; may be given several times', collect)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nAn image that is signed (PCR8) cannot be rebuilt by others: against an unsigned image of yours, --same-as leaves out PCR8 and the hash of the file.',
    )
    .action(sign);
}
