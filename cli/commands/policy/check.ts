/** `acra-enclave policy check`: a live key policy against what the enclave needs. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { checkPolicy } from '../../../kms/policy/check/check.ts';
import type { PolicyFinding } from '../../../kms/policy/check/findings.ts';
import { parseGrants } from '../../../kms/policy/check/grants.ts';
import { parseIdentityPolicy, parseKeyPolicy } from '../../../kms/policy/language/document.ts';
import { harmlessText } from '../../../runtime/harmless-text.ts';
import { answer, answering } from '../../eif/answer.ts';
import { collect } from '../../option-values.ts';
import { bold, dim, green, printJson, printLine, progress, red, yellow } from '../../output.ts';
import { readGrantsText, readPolicyText } from '../../policy/files.ts';
import { ROLLBACK_NOT_EXCLUDED } from '../../policy/notes.ts';
import { type WishOptions, wishFrom, withWishOptions } from '../../policy/wish-options.ts';

interface CheckOptions extends WishOptions {
  readonly policy: string;
  readonly grants?: string;
  readonly iam: readonly string[];
  readonly json?: true;
}

function tell(findings: readonly PolicyFinding[]): void {
  for (const { severity, code, statement, found, action } of findings) {
    const where = statement === null ? '' : `${harmlessText(statement)}: `;
    printLine(
      `${severity === 'error' ? red('error') : yellow('warning')} ${bold(code)}: ${where}${harmlessText(found)}`,
    );
    printLine(`  ${dim(action)}`);
  }
  if (findings.length === 0) printLine(green('lets in whom you named, and nobody else'));
}

async function isFaultless(options: CheckOptions): Promise<boolean> {
  const { wish, keyArn, isGenerationPinned, isRollbackOpen } = await wishFrom(options);
  const live = parseKeyPolicy(await readPolicyText(resolve(options.policy)));
  const grants = options.grants === undefined ? undefined : parseGrants(await readGrantsText(resolve(options.grants)));
  const texts = await Promise.all(options.iam.map((file) => readPolicyText(resolve(file))));
  const rolePolicies = texts.length === 0 ? undefined : texts.map(parseIdentityPolicy);
  const findings = checkPolicy({ live, wish, keyArn, grants, rolePolicies, isGenerationPinned });
  if (options.json)
    printJson({ findings, areGrantsExamined: grants !== undefined, isRollbackExcluded: !isRollbackOpen });
  else tell(findings);
  if (grants === undefined)
    progress('grants were not looked at: they let in beside the policy (--grants, `aws kms list-grants`)');
  if (isRollbackOpen) progress(ROLLBACK_NOT_EXCLUDED);
  return findings.length === 0;
}

export function checkCommand(): Command {
  const command = new Command('check').description(
    'Check a live key policy: whether it lets in the enclave that is named, and whom else. What is not judged counts as a finding.',
  );
  withWishOptions(command)
    .requiredOption('--policy <file>', 'what `aws kms get-key-policy` prints, or the document itself')
    .option('--grants <file>', 'what `aws kms list-grants` prints')
    .option('--iam <file>', 'an IAM policy of the role (`aws iam get-role-policy`); again for another', collect, [])
    .option('--json', 'print JSON')
    .action((options: CheckOptions) => answer(() => isFaultless(options), options));
  return answering(command, 'nothing found', 'something found');
}
