/** `acra-enclave policy simulate`: what a key policy says of one request, and why. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { readStatedDocument } from '../../../attestation/document/stated-document.ts';
import { parentRegisters } from '../../../eif/pcr.ts';
import { callerOf } from '../../../kms/policy/check/mentioned.ts';
import { parseIdentityPolicy, parseKeyPolicy } from '../../../kms/policy/language/document.ts';
import { type Registers, requestContext } from '../../../kms/policy/language/request-context.ts';
import { type SimulationResult, simulate } from '../../../kms/policy/simulate.ts';
import { harmlessText } from '../../../runtime/harmless-text.ts';
import { generationContext } from '../../../wire/generation-context.ts';
import { answer, answering } from '../../eif/answer.ts';
import { CliError } from '../../errors.ts';
import { collect } from '../../option-values.ts';
import { bold, dim, green, printJson, printLine, progress, red, yellow } from '../../output.ts';
import { readDocumentBytes, readPolicyText } from '../../policy/files.ts';
import { readMeasurements } from '../../policy/measurements.ts';
import { parseGeneration, requireKeyArn } from '../../policy/wish-options.ts';

interface SimulateOptions {
  readonly policy: string;
  readonly iam: readonly string[];
  readonly action: string;
  readonly principal: string;
  readonly document?: string;
  readonly measurements?: string;
  readonly roleArn?: string;
  readonly instanceId?: string;
  readonly encryptionContext: readonly string[];
  readonly generation?: number;
  readonly condition: readonly string[];
  readonly keyArn?: string;
  readonly json?: true;
}

const PRINCIPAL = /^(?:arn:[a-z-]+:(?:iam|sts)::\d{12}:(?:root|[a-z-]+\/[^*?]+)|[a-z0-9.-]+\.amazonaws\.com(?:\.cn)?)$/;

function pairOf(text: string, option: string): [string, string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new CliError('CLI_OPTION', `${option} must be NAME=VALUE`, { found: text });
}

/** A misspelt name would be denied, and look like an answer. */
function requireForms({ action, principal }: SimulateOptions): void {
  if (!/^kms:[A-Za-z]+$/i.test(action)) {
    throw new CliError('CLI_OPTION', '--action is no operation of KMS', {
      found: action,
      allowed: 'kms:Decrypt and so on',
    });
  }
  if (PRINCIPAL.test(principal)) return;
  throw new CliError('CLI_OPTION', '--principal is nobody who could ask', {
    found: principal,
    allowed: 'the ARN of a user, a role, a session of one or the account’s root, or a service (s3.amazonaws.com)',
  });
}

async function registersOf({
  document,
  measurements,
  roleArn,
  instanceId,
}: SimulateOptions): Promise<Registers | undefined> {
  if (document !== undefined && measurements !== undefined) {
    throw new CliError('CLI_OPTION', 'a request has one attestation document', {
      allowed: '--document or --measurements',
    });
  }
  if (document !== undefined) {
    progress('the signature of the document is not checked here: KMS does that');
    return readStatedDocument(await readDocumentBytes(resolve(document))).payload.pcrs;
  }
  if (measurements === undefined) return undefined;
  const { pcrs } = await readMeasurements(resolve(measurements));
  return new Map([...pcrs, ...parentRegisters({ roleArn, instanceId })]);
}

const DECISIONS = {
  allow: green('allowed'),
  'explicit-deny': red('denied'),
  'implicit-deny': red('denied: no statement allows it'),
  undecided: yellow('undecided: it depends on what is not judged here, and is no permission'),
} as const;

function tell({ decision, by, statements }: SimulationResult): void {
  printLine(`${bold(DECISIONS[decision])}${by.length > 0 ? ` by ${harmlessText(by.join('; '))}` : ''}`);
  for (const { policy, statement, effect, applies, conditions } of statements) {
    const verdict = { yes: 'applies', no: 'does not apply', unknown: 'may apply' }[applies];
    printLine(`${effect} of the ${policy}, ${harmlessText(statement)}: ${verdict}`);
    for (const { condition, found, holds } of conditions) {
      const shown = found === null ? 'absent' : found.map((each) => each.slice(0, 24)).join(', ');
      printLine(dim(`  ${holds}: ${harmlessText(condition)}; found: ${harmlessText(shown)}`));
    }
  }
}

async function isAllowed(options: SimulateOptions): Promise<boolean> {
  requireForms(options);
  requireKeyArn(options.keyArn);
  const { action, principal, keyArn, iam } = options;
  const caller = callerOf(principal);
  const pairs = options.encryptionContext.map((text) => pairOf(text, '--encryption-context'));
  const facts = options.condition.map((text) => pairOf(text, '--condition'));
  const context = requestContext({
    caller,
    action,
    registers: await registersOf(options),
    encryptionContext: {
      ...Object.fromEntries(pairs),
      ...(options.generation === undefined ? {} : generationContext(options.generation)),
    },
    more: new Map(facts.map(([name, value]) => [name.toLowerCase(), [value]])),
  });
  const keyPolicy = parseKeyPolicy(await readPolicyText(resolve(options.policy)));
  const texts = await Promise.all(iam.map((file) => readPolicyText(resolve(file))));
  const identityPolicies = texts.length === 0 ? undefined : texts.map(parseIdentityPolicy);
  if (keyArn === undefined)
    progress('whoever asks is taken for somebody of the key’s account: name the key by --key-arn');
  const result = simulate({ keyPolicy, identityPolicies, request: { caller, action, keyArn, context } });
  if (options.json) printJson(result);
  else tell(result);
  return result.decision === 'allow';
}

export function simulateCommand(): Command {
  const command = new Command('simulate')
    .description('Say whether a key policy allows a request, by which statement, and what each condition found.')
    .requiredOption('--policy <file>', 'what `aws kms get-key-policy` prints, or the document itself')
    .requiredOption('--principal <arn>', 'who asks: a user, a role or a session of one')
    .option('--action <action>', 'what for', 'kms:Decrypt')
    .option('--document <file>', 'attestation document of the request, as it is or in base64')
    .option('--measurements <file>', 'the registers that a document would show, from measurements.json')
    .option('--role-arn <arn>', 'with --measurements: PCR3')
    .option('--instance-id <id>', 'with --measurements: PCR4')
    .option('--encryption-context <name=value>', 'again for another', collect, [])
    .option('--generation <number>', 'of the key set: what an enclave adds to the context', parseGeneration)
    .option(
      '--condition <key=value>',
      'what else is known of the request (aws:SourceVpce=…); again for another',
      collect,
      [],
    )
    .option('--key-arn <arn>', 'the key, where a statement names one')
    .option('--iam <file>', 'an IAM policy of whoever asks; again for another', collect, [])
    .option('--json', 'print JSON')
    .action((options: SimulateOptions) => answer(() => isAllowed(options), options));
  return answering(command, 'allowed', 'denied, or not decided');
}
