/** `acra-enclave verify`: asks an enclave for an attestation document, or reads one, and tells every claim of it. */
import { Command } from 'commander';
import type { VerifyReport } from '../../attestation/verify/report.ts';
import { systemClock } from '../../runtime/clock.ts';
import { Deadline } from '../../runtime/deadline.ts';
import { errorCode } from '../../runtime/errors.ts';
import { CliError } from '../errors.ts';
import { parseDuration } from '../option-values.ts';
import { printError, printJson, printLine, yellow } from '../output.ts';
import { untilStopped } from '../until-signal.ts';
import { keepOneForAnswers, NO_ANSWER } from '../usage-exit.ts';
import { withDemandOptions } from '../verify/demand-options.ts';
import { type DemandOptions, readDemands } from '../verify/demands.ts';
import type { Fetched } from '../verify/fetched.ts';
import { judge } from '../verify/judge.ts';
import { type Pin, pinOf } from '../verify/pin.ts';
import { printReport } from '../verify/print.ts';
import { type Source, type SourceOptions, sourceOf } from '../verify/source.ts';
import { requireWritable, writeOut } from '../verify/write-out.ts';

interface VerifyOptions extends SourceOptions, DemandOptions {
  readonly out?: string;
  readonly json?: true;
}

const FAILED = 1;
/** sysexits.h, EX_UNAVAILABLE: nobody answered, or with nothing that can be judged. */
const UNAVAILABLE = 69;
const UNAVAILABLE_CODES: ReadonlySet<string | undefined> = new Set([
  'CLI_ATTESTATION_UNREACHABLE',
  'CLI_ATTESTATION_REFUSED',
  'CLI_ATTESTATION_ANSWER',
]);
const FETCH_TIMEOUT_MS = 30_000;

const PINS: Readonly<Record<Pin['kind'], string>> = {
  key: 'ca.pem pins the attested key: make it the only authority of your client (sslrootcert with sslmode=verify-ca, curl --cacert)',
  authority:
    'ca.pem is the root of an authority: a client that trusts it accepts whatever else that authority issues, not the attested key alone',
  none: 'there is no ca.pem: the server does not send the root of its certificate',
  unjudged: 'there is no ca.pem: which program has the key was not judged',
};

function fetch(source: Source): Promise<Fetched> {
  return untilStopped(async (signal) => {
    const late = () => new CliError('CLI_ATTESTATION_UNREACHABLE', `no answer within ${FETCH_TIMEOUT_MS} ms`);
    using deadline = new Deadline(systemClock, FETCH_TIMEOUT_MS, signal, late);
    return await source.fetch(deadline.signal);
  });
}

async function tell(report: VerifyReport, fetched: Fetched, source: Source, options: VerifyOptions): Promise<void> {
  const { json, out, trustRoot, measurements } = options;
  const told = { source: source.described, ...report };
  const isWritten = out !== undefined && report.verdict === 'pass';
  const pin = pinOf(fetched.tls?.certificates ?? [], measurements !== false);
  if (isWritten) await writeOut(out, fetched, pin, told);
  if (json) {
    printJson(told);
    return;
  }
  printReport(report, trustRoot, measurements !== false);
  if (isWritten) printLine(pin.kind === 'key' ? PINS.key : yellow(PINS[pin.kind]));
}

async function run(options: VerifyOptions): Promise<VerifyReport['verdict']> {
  const source = sourceOf(options);
  const demands = await readDemands(options);
  if (options.out !== undefined) await requireWritable(options.out);
  const fetched = await fetch(source);
  const report = judge(fetched, { ...demands, ...source.demands });
  await tell(report, fetched, source, options);
  return report.verdict;
}

async function runVerify(options: VerifyOptions): Promise<void> {
  try {
    if ((await run(options)) === 'fail') process.exitCode = FAILED;
  } catch (error) {
    await printError(error, options.json === true);
    process.exitCode = UNAVAILABLE_CODES.has(errorCode(error)) ? UNAVAILABLE : NO_ANSWER;
  }
}

const HELP = `
One of --connect, --url and --document says where the document is from. Which image is meant must be said, by --measurements or
--pcr; --no-measurements judges only whether the document is authentic. What each claim proves: docs/attestation.md.

Exit code: 0 every demanded claim passed, 1 a claim failed, ${NO_ANSWER} no answer (wrong usage, a file that cannot be used),
${UNAVAILABLE} nobody answered, or with nothing that can be judged.`;

export function verifyCommand(): Command {
  const command = new Command('verify')
    .description('Prove which program runs in an enclave, and that a TLS connection ends there; every claim is told.')
    .option('--connect <host:port>', 'ask on the public port, and compare the key of that connection')
    .option('--url <url>', 'ask by HTTP, at the listener of host-proxy')
    .option('--tls <host:port>', 'with --url or --document: the PostgreSQL port whose key is compared')
    .option(
      '--document <file>',
      'a saved document (COSE) or answer (JSON); judged at its own time unless --max-age is given',
    )
    .option('--statement <file>', 'the runtime statement that was saved with a COSE document')
    .option('--nonce <hex>', '16 to 64 bytes; default: 32 random ones, and none of a saved document')
    .option('--max-age <duration>', 'how old the document may be (default: 5m)', parseDuration);
  withDemandOptions(command)
    .option('--out <folder>', 'when all passes: write the document, the statement, the report, and ca.pem for clients')
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(runVerify);
  return keepOneForAnswers(command);
}
