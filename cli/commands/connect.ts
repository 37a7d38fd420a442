/** `acra-enclave connect`: a local socket for psql and any driver, whose sessions end in a verified enclave or nowhere. */
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import type { Demands } from '../../attestation/verify/demands.ts';
import type { VerifyReport } from '../../attestation/verify/report.ts';
import { readSmallFile } from '../../eif/input-file.ts';
import { whenAborted } from '../../runtime/abort.ts';
import { systemClock } from '../../runtime/clock.ts';
import { CodedError, describeError } from '../../runtime/errors.ts';
import { harmlessText } from '../../runtime/harmless-text.ts';
import { systemRandom } from '../../runtime/random.ts';
import { type Endpoint, parseEndpoint, type TcpEndpoint } from '../../wire/endpoint.ts';
import { Connector, type LocalAddress } from '../connect/connector.ts';
import { ConnectError } from '../connect/errors.ts';
import { toSecureContext, Upstream } from '../connect/upstream.ts';
import { CliError } from '../errors.ts';
import { parseDuration } from '../option-values.ts';
import { bold, green, printLine, progress, yellow } from '../output.ts';
import { untilStopped } from '../until-signal.ts';
import { addressOf } from '../verify/address.ts';
import { withDemandOptions } from '../verify/demand-options.ts';
import { type DemandOptions, readDemands } from '../verify/demands.ts';
import { fetchDirect } from '../verify/fetch-direct.ts';
import { notesOf } from '../verify/notes.ts';

interface ConnectOptions extends DemandOptions {
  readonly cert: string;
  readonly key: string;
  readonly socketDir?: string;
  readonly listen?: string;
  readonly maxAge?: number;
  readonly verifyEvery?: number;
}

const MAX_PEM_BYTES = 65_536;
const LOOPBACK = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)$/;
const DEFAULT_VERIFY_EVERY_MS = 3_600_000;

const LISTEN = 'tcp://127.0.0.1:PORT or tcp://[::1]:PORT';

function loopbackAddress(text: string): TcpEndpoint {
  const invalid = (message: string) => new CliError('CLI_OPTION', message, { found: text, allowed: LISTEN });
  let endpoint: Endpoint;
  try {
    endpoint = parseEndpoint(text.includes('://') ? text : `tcp://${text}`);
  } catch {
    throw invalid('--listen is no TCP address');
  }
  if (endpoint.kind !== 'tcp') throw invalid('--listen is no TCP address');
  if (LOOPBACK.test(endpoint.host)) return endpoint;
  throw invalid('--listen is for this machine only');
}

function localAddress({ socketDir, listen }: ConnectOptions): LocalAddress {
  if (listen !== undefined) {
    if (socketDir !== undefined) throw new CliError('CLI_OPTION', 'either --socket-dir or --listen');
    return loopbackAddress(listen);
  }
  if (socketDir !== undefined) return { kind: 'folder', folder: resolve(socketDir) };
  const runtime = process.env['XDG_RUNTIME_DIR'];
  if (runtime !== undefined && runtime !== '')
    return { kind: 'folder', folder: join(resolve(runtime), 'acra-enclave') };
  const allowed = '--socket-dir FOLDER; XDG_RUNTIME_DIR is not set';
  throw new CliError('CLI_OPTION', 'say where the local socket goes', { allowed });
}

async function readPem(path: string): Promise<Buffer> {
  return readSmallFile(resolve(path), MAX_PEM_BYTES).catch((cause: unknown) => {
    throw new ConnectError('CONNECT_CREDENTIALS', `cannot read ${path}`, { cause });
  });
}

async function readCredentials({ cert, key }: ConnectOptions) {
  const [certificate, privateKey] = [await readPem(cert), await readPem(key)];
  try {
    return toSecureContext({ certificate, key: privateKey });
  } finally {
    privateKey.fill(0);
  }
}

function tellVerified(report: VerifyReport, isNewKey: boolean, trustRoot: string | undefined): void {
  const { trust, document } = report;
  if (!isNewKey) {
    progress(`verified again at ${new Date().toISOString()}`);
    return;
  }
  if (trust.root === 'other')
    printLine(
      yellow(`NOT AWS: trusted is the root in ${trustRoot ?? ''}, as you said. Nothing here proves real hardware.`),
    );
  printLine(`${green('verified')} ${harmlessText(document?.moduleId ?? '')}, PCR0 ${document?.pcrs['PCR0'] ?? ''}`);
  for (const note of notesOf(report)) printLine(yellow(`ATTENTION: ${harmlessText(note)}`));
  printLine(`sessions go to the TLS key with SHA-256 ${document?.tlsKeySha256 ?? ''} and to no other`);
}

function tellFailure(error: unknown): void {
  const code = error instanceof CodedError ? `${error.code}: ` : '';
  progress(harmlessText(`a session was not served: ${code}${describeError(error)}`));
}

function tellListening(local: LocalAddress, port: number | undefined): void {
  if (local.kind === 'folder') {
    printLine(`${bold('listening')}: psql -h ${local.folder}`);
    return;
  }
  printLine(`${bold('listening')}: psql "host=${local.host} port=${port} sslmode=disable"`);
  printLine(
    yellow('every user and program of this machine can connect there, as the client whose certificate you gave'),
  );
}

/** Measurements of an application may be just right, and psql still has nobody to talk to. */
async function demandsOf(options: ConnectOptions): Promise<Demands> {
  const demands = await readDemands(options);
  if (typeof demands.measurements === 'string' || demands.measurements.statement?.workload !== 'app') return demands;
  throw new CliError('CLI_OPTION', 'the measurements are of an application, and sessions here are PostgreSQL’s', {
    allowed: '`acra-enclave verify --connect … --out FOLDER`, then a client that trusts FOLDER/ca.pem alone',
  });
}

async function runConnect(enclave: string, options: ConnectOptions): Promise<void> {
  const address = addressOf('the enclave', enclave);
  const local = localAddress(options);
  const { maxAge: maxAgeMs } = options;
  if (options.measurements === false) {
    throw new CliError('CLI_OPTION', 'sessions go to a known program only: --measurements FILE or --pcr');
  }
  const connector = new Connector({
    upstream: new Upstream(address, await readCredentials(options)),
    fetch: (nonce, signal) => fetchDirect(address, nonce, signal),
    demands: async () => ({
      ...(await demandsOf(options)),
      time: { by: 'clock', nowMs: systemClock.nowMs(), ...(maxAgeMs !== undefined && { maxAgeMs }) },
    }),
    local,
    verifyEveryMs: options.verifyEvery ?? DEFAULT_VERIFY_EVERY_MS,
    clock: systemClock,
    random: systemRandom,
    onVerified: (report, isNewKey) => tellVerified(report, isNewKey, options.trustRoot),
    onFailure: tellFailure,
  });
  await untilStopped(async (signal) => {
    await connector.start(signal);
    try {
      tellListening(local, connector.port);
      await whenAborted(signal);
    } finally {
      await connector.stop();
    }
  });
}

const HELP = `
psql -h FOLDER, and any driver that takes a folder as host, then talks to the enclave: without TLS and without a password up to this
program, from here on in TLS 1.3 to the key that the enclave attests. Whoever may enter the folder is the client of --cert.`;

export function connectCommand(): Command {
  const command = new Command('connect')
    .description('Open a local socket whose sessions end in a verified enclave: for psql and any driver.')
    .argument('<host:port>', 'the public port of the enclave')
    .requiredOption('--cert <file>', 'PEM of the certificate that sessions log in with, then its issuers')
    .requiredOption('--key <file>', 'PEM of its private key')
    .option('--socket-dir <folder>', 'of the local socket, mode 700 (default: $XDG_RUNTIME_DIR/acra-enclave)')
    .option('--listen <address>', 'instead: tcp://127.0.0.1:PORT, for programs that know TCP only')
    .option('--verify-every <duration>', 'verify again this often (default: 1h)', parseDuration)
    .option('--max-age <duration>', 'how old an attestation document may be (default: 5m)', parseDuration);
  return withDemandOptions(command).addHelpText('after', HELP).action(runConnect);
}
