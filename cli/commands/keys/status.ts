/** `acra-enclave keys status`: which keys the enclave works with, which ones the parent has, and what keeps older ones out. */
import { Command } from 'commander';
import { type KeysReport, keysReport } from '../../../host-proxy/keys/key-answers.ts';
import type { DaemonOption } from '../../ask-daemon.ts';
import { askFor } from '../../keys/ask-keys.ts';
import { withDaemonOptions } from '../../keys/enclave-options.ts';
import { pinOf, printHead } from '../../keys/print-made.ts';
import { statedPin } from '../../keys/stated-pin.ts';
import { adviceFor, green, printJson, printLine, printRow, yellow } from '../../output.ts';

interface StatusOptions extends DaemonOption {
  readonly enclave?: string;
  readonly json?: boolean;
}

type Reason = NonNullable<KeysReport['silent']>;

const NOT_EXCLUDED = 'rollback not excluded: the parent may bring an older set at the next boot (docs/keys.md)';

/** What keeps the parent from bringing an older key set. */
function pinText(pin: string | undefined): string {
  if (pin === undefined) return 'not known: the enclave says nothing now; name the measured folder with --enclave';
  if (pin === 'none') return NOT_EXCLUDED;
  if (pin === 'policy')
    return 'by the key policy, which must demand the generation: `policy check` says whether it does';
  return `by enclave.yaml: ${pin} and no other`;
}

/** The folder is not the one that the running image was built from, or not any more. */
function printOtherPin(stated: string | undefined, named: string | undefined): void {
  if (stated === undefined || named === undefined || stated === named) return;
  printLine(yellow(`The enclave that runs was built with another keys.pin than --enclave has: ${named}.`));
}

async function printReason(label: string, { code, message }: Reason): Promise<void> {
  printRow(label, yellow([code, message].filter((part) => part !== null).join(': ')));
  const advice = code === null ? undefined : await adviceFor(code);
  if (advice !== undefined) printRow('what to do', advice);
}

async function printEnclave({ enclave, silent, phase, detail, parent }: KeysReport): Promise<void> {
  if (phase !== null) printRow('phase', detail === null ? phase : `${phase}: ${detail}`);
  if (silent !== null) await printReason('enclave', silent);
  if (enclave === null) return;
  const { taken, ceremony } = enclave;
  printRow(
    'in use',
    taken === null ? yellow('none: it waits') : green(`generation ${taken.generation}, ${taken.sha256}`),
  );
  printRow(
    'ceremony',
    ceremony
      ? yellow(
          parent.sets === 0 ? 'it would hold one' : 'it would hold one; host-proxy asks for none while there are sets',
        )
      : 'it holds none now',
  );
}

async function status(options: StatusOptions): Promise<void> {
  const report = await askFor(options, { command: 'keys-status' }, keysReport);
  const [stated, named] = [await statedPin(options), pinOf(options.enclave)];
  const pin = stated ?? named;
  const { newest, sets, folder, problem, damaged, doubled, audit } = report.parent;
  const isWell = problem === null && report.enclave?.taken?.sha256 === newest?.sha256 && newest !== null;
  if (!isWell) process.exitCode = 1;
  if (options.json) {
    printJson({
      ...report,
      pin: pin ?? null,
      rollbackExcluded: pin !== undefined && pin !== 'none' && pin !== 'policy',
    });
    return;
  }
  await printEnclave(report);
  printRow('on the parent', `${sets} in ${folder}`);
  if (newest !== null) printRow('newest', `generation ${newest.generation}, ${newest.sha256}`);
  if (problem !== null) await printReason('problem', problem);
  if (damaged > 0) printRow('not whole', yellow(`${damaged}: see \`keys list\``));
  if (doubled.length > 0) printRow('doubled', `generation ${doubled.join(', ')}: see \`keys list\``);
  printRow('pinned', pinText(pin));
  printOtherPin(stated, named);
  if (audit.broken) printLine(yellow('The audit log is no whole chain: see `keys audit verify`.'));
  printHead(audit.head);
}

const HELP = `
What is told of the enclave has come over the parent, and is its word. Exit code 1 while the enclave does not work with the newest set.`;

export function statusCommand(): Command {
  return withDaemonOptions(new Command('status').description('Tell which keys the enclave works with.'))
    .option('-e, --enclave <folder>', 'the measured folder, for what pins the key set where the enclave does not say')
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(status);
}
