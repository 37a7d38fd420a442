/** Options of the commands that ask a running enclave about its keys: which one, over which way, and what it must prove first. */
import { type Command, Option } from 'commander';
import type { DaemonOption } from '../ask-daemon.ts';
import { collect } from '../option-values.ts';

export interface EnclaveOptions extends DaemonOption {
  readonly measurements?: string;
  readonly require?: readonly string[];
  readonly pcr?: readonly string[];
  readonly trustRoot?: string;
  readonly url?: string;
  readonly from?: string;
}

/** How the daemon is reached. */
export function withDaemonOptions(command: Command): Command {
  return command
    .addOption(
      new Option('-c, --config <file>', "the daemon's host-proxy.yaml; default: the daemon in /run/acra-enclave"),
    )
    .addOption(
      new Option('--socket <path>', "the daemon's command socket, such as one that ssh -L forwards").conflicts(
        'config',
      ),
    );
}

/** What the enclave must prove. */
export function withProofOptions(command: Command): Command {
  return command
    .option('--measurements <file>', 'measurements.json of the expected image, or what `measurements sign` wrote')
    .option('--require <file>', 'PEM of a public key that must have signed them; may be given several times', collect)
    .option('--pcr <index=hex>', 'what a register must show; may be given several times', collect)
    .option('--trust-root <file>', 'trust this root (PEM) and not that of AWS: for emulated enclaves');
}

export interface RequestOptions extends EnclaveOptions {
  readonly enclave: string;
  readonly key?: string;
  readonly passphraseFile?: string;
  readonly out?: string;
  readonly json?: boolean;
}

/** All that a command needs which asks for a change. */
export function withRequestOptions(command: Command): Command {
  withDaemonOptions(withProofOptions(command));
  return command
    .option('--url <url>', "ask for attestation at host-proxy's listener; the request goes into a file then")
    .option('--from <hash>', 'with --url: the key set in use, as `keys status` on the parent tells it')
    .option('-k, --key <file>', 'PEM of your private key: signs the request, and hands it in unless --out is given')
    .option('--passphrase-file <file>', 'of an encrypted key')
    .option('-o, --out <file>', 'write the request there, for `keys approve` and `keys submit`');
}

/** Of commands that must know what a key set says. */
export interface KeySetOption {
  readonly keySet?: string;
}

export function keySetOption(what: string): Option {
  return new Option('--key-set <folder>', `${what}: a folder of \`keys.folder\` on the parent, or a copy of one`);
}

const CHANGES = {
  measurements: '--measurements',
  pcr: '--pcr',
  key: '--key',
  out: '--out',
  url: '--url',
  from: '--from',
  socket: '--socket',
  config: '--config',
  keySet: '--key-set',
} as const;

/** Options given that only a running enclave has a use for. */
export function runningOptions(options: Partial<RequestOptions & KeySetOption>): readonly string[] {
  const names = Object.keys(CHANGES) as (keyof typeof CHANGES)[];
  return names.filter((name) => options[name] !== undefined).map((name) => CHANGES[name]);
}
