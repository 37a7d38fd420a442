/** `acra-enclave keys list`: the key sets that the parent keeps, each with where it comes from. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { type KeysListing, keysListing } from '../../../host-proxy/keys/key-answers.ts';
import { readOperators } from '../../../keys/operators.ts';
import type { DaemonOption } from '../../ask-daemon.ts';
import { askFor } from '../../keys/ask-keys.ts';
import { withDaemonOptions } from '../../keys/enclave-options.ts';
import { pinOf, printHead } from '../../keys/print-made.ts';
import { keysContext } from '../../keys-context.ts';
import { bold, green, printJson, printLine, yellow } from '../../output.ts';

interface ListOptions extends DaemonOption {
  readonly enclave?: string;
  readonly json?: boolean;
}

const HASH_DIGITS = 16;

/** By the SHA-256 of their keys. */
function operatorNames(enclave: string | undefined): ReadonlyMap<string, string> {
  if (enclave === undefined) return new Map();
  const { folder, config } = keysContext(resolve(enclave));
  return new Map(readOperators(folder, config).map(({ keyId, name }) => [keyId, name]));
}

function marksOf({ inUse, broughtFirst, sha256 }: KeysListing['sets'][number], pin: string | undefined): string[] {
  return [inUse ? green('in use') : '', broughtFirst ? 'brought' : '', pin === sha256 ? 'pinned' : ''].filter(
    (mark) => mark !== '',
  );
}

function printSet(set: KeysListing['sets'][number], pin: string | undefined, names: ReadonlyMap<string, string>): void {
  const { generation, sha256, action, approvedBy, madeAtMs, clients, request } = set;
  const by = approvedBy.map((id) => names.get(id) ?? `${id.slice(0, HASH_DIGITS)}…`).join(', ');
  printLine(`${bold(`generation ${generation}`)} ${sha256} ${marksOf(set, pin).join(', ')}`);
  printLine(`  made ${new Date(madeAtMs).toISOString()} by ${action}, signed by ${by || 'nobody'}, ${clients} clients`);
  printLine(`  request ${request}`);
}

async function list(options: ListOptions): Promise<void> {
  const listing = await askFor(options, { command: 'keys-list' }, keysListing);
  const pin = pinOf(options.enclave);
  if (options.json) {
    printJson({ ...listing, pin: pin ?? null });
    return;
  }
  const names = operatorNames(options.enclave);
  for (const set of listing.sets) printSet(set, pin, names);
  if (listing.sets.length === 0) printLine(`no key set in ${listing.folder}`);
  for (const { name, reason } of listing.damaged) printLine(yellow(`not whole: ${name}: ${reason}`));
  printHead(listing.head);
}

const HELP = `
All of it is the parent's word, and that of files which the parent keeps: \`keys audit verify\` says what of it enclaves have signed.`;

export function listCommand(): Command {
  return withDaemonOptions(new Command('list').description('List the key sets that the parent keeps.'))
    .option('-e, --enclave <folder>', 'the measured folder, for the names of operators and the pin')
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(list);
}
