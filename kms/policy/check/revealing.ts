/** Tries to get at what the key protects: without a document, with every document that may make a difference, as everybody. */

import { toPcrIndex } from '../../../wire/brands.ts';
import { GENERATION_CONTEXT } from '../../../wire/generation-context.ts';
import { RE_ENCRYPTING, REVEALING } from '../actions.ts';
import type { Statement } from '../language/document.ts';
import { accountNamed } from '../language/principal.ts';
import { attestationKey, registerOfKey } from '../language/request-context.ts';
import type { Comparison, Probe } from './compare.ts';
import { documentsToTry, isOfDebugMode, nitroTpmDocuments, type Values } from './documents.ts';
import type { PolicyFindingCode } from './findings.ts';
import { codeOfContext } from './generations.ts';
import { FRESH_VALUE } from './mentioned.ts';
import type { Trial } from './trial.ts';

/** Make a secret that a key set could lie under. */
const MAKING: readonly string[] = ['kms:GenerateDataKey', 'kms:GenerateDataKeyPair'];

const short = (hex: string) => (hex === FRESH_VALUE ? 'any value' : `${hex.slice(0, 12)}…`);
const registerName = (index: number) => attestationKey(toPcrIndex(index)).replace('kms:RecipientAttestation:', '');

function demandsAttestation({ effect, conditions }: Statement): boolean {
  return effect === 'Allow' && conditions.some(({ key }) => registerOfKey(key) !== undefined);
}

/** No statement demands a document at all, or one way does not. */
function unattestedCode({ live }: Trial): PolicyFindingCode {
  return live.some(demandsAttestation) ? 'POLICY_BYPASS' : 'POLICY_NOT_ENFORCED';
}

/** Why this statement lets in what has no document. */
function reasonOf({ conditions, principals, actions }: Statement): string {
  const passing = conditions.find(({ key }) => registerOfKey(key) !== undefined);
  if (passing) return `${passing.operatorName} ${passing.keyName} holds when there is no document`;
  if (principals?.names.some((name) => accountNamed(name) !== undefined)) return 'IAM policies of the account decide';
  if (principals?.isNegated || actions.isNegated) return 'it means everything but what it names, and has no condition';
  return 'it has no condition on kms:RecipientAttestation';
}

function tellUnattested(trial: Trial, { action, caller }: Probe, { statements, live }: Comparison): void {
  const may = live === 'undecided' ? ' (perhaps: a condition is not judged)' : '';
  for (const statement of statements) {
    trial.report.add(
      unattestedCode(trial),
      statement,
      `${action} for ${caller.policyArn}: ${reasonOf(statement)}${may}`,
    );
    if (trial.keysBornInEnclave && MAKING.includes(action))
      trial.report.add('POLICY_DATA_KEY', statement, `${action} for ${caller.policyArn}${may}`);
  }
}

/** The measurement that the document is nearest to, and the registers in which it differs. */
function deviationsOf(document: Values, expected: readonly Values[]): readonly number[] {
  const all = expected.map((values) => [...values].filter(([index, value]) => document.get(index) !== value));
  const [nearest = []] = all.sort((a, b) => a.length - b.length);
  return nearest.map(([index]) => index);
}

function codeOfRegister(index: number, statement: Statement): PolicyFindingCode {
  if (index === 3 || index === 4) return 'POLICY_NO_DEPLOYMENT';
  if (index >= 16) return 'POLICY_RUNTIME';
  const isCompared = statement.conditions.some(({ key }) => registerOfKey(key) === index);
  return isCompared ? 'POLICY_REGISTER_BROAD' : 'POLICY_REGISTER_MISSING';
}

function tellDeviation(trial: Trial, document: Values, statement: Statement, action: string): void {
  const { report, expected } = trial;
  const deviations = deviationsOf(document, expected);
  const unnamed = deviations.filter((index) => (document.get(index) ?? FRESH_VALUE) === FRESH_VALUE);
  for (const index of unnamed) {
    report.add(codeOfRegister(index, statement), statement, `${action} with any value of ${registerName(index)}`);
  }
  if (unnamed.length > 0) return;
  const isOfImages = (index: number) => expected.some((values) => values.get(index) === document.get(index));
  const strangers = deviations.filter((index) => !isOfImages(index));
  for (const index of strangers) {
    const value = short(document.get(index) ?? '');
    report.add('POLICY_UNKNOWN_IMAGE', statement, `${action} with ${registerName(index)} ${value}`);
  }
  if (strangers.length > 0) return;
  report.add('POLICY_MIXED', statement, `${action} with ${deviations.map(registerName).join(', ')} of another image`);
}

/** The enclave itself, with its document. */
function tellOwn(trial: Trial, probe: Probe, statement: Statement): void {
  const { action, encryptionContext } = probe;
  const code = codeOfContext(trial, probe) ?? 'POLICY_ACTION_EXTRA';
  const generation = encryptionContext[GENERATION_CONTEXT];
  const found = {
    POLICY_GENERATION: generation === undefined ? 'without a generation' : `in generation ${generation}`,
    POLICY_CONTEXT: 'in another context',
    POLICY_ACTION_EXTRA: '',
  }[code];
  trial.report.add(code, statement, `${action} ${found}`.trim());
}

function tellDocument(trial: Trial, probe: Probe, { statements }: Comparison): void {
  const { report, expected, roleArn } = trial;
  const { action, caller, document = new Map() } = probe;
  for (const statement of statements) {
    // Then any document will do, and each would be told.
    if (report.has(unattestedCode(trial), statement)) continue;
    if (isOfDebugMode(document)) report.add('POLICY_DEBUG', statement, `${action} with registers of zero`);
    else if (deviationsOf(document, expected).length > 0) tellDeviation(trial, document, statement, action);
    else if (caller.policyArn !== roleArn)
      report.add('POLICY_OTHER_PRINCIPAL', statement, `${action} for ${caller.policyArn}`);
    else tellOwn(trial, probe, statement);
  }
}

function tryDocuments(trial: Trial, probe: Probe, documents: readonly Values[]): void {
  for (const document of documents) {
    const tried = { ...probe, document };
    const comparison = trial.comparer.compare(tried);
    if (comparison.difference === 'more') tellDocument(trial, tried, comparison);
    if (comparison.difference === 'not-denied') tellMissingDeny(trial, probe.action, 'with another document');
  }
}

export function tellMissingDeny({ report }: Trial, action: string, how: string): void {
  report.add('POLICY_DENY_MISSING', null, `${action} ${how}`);
}

function tryNitroTpm(trial: Trial, probe: Probe): void {
  for (const nitroTpm of nitroTpmDocuments(trial.live)) {
    const { difference, statements } = trial.comparer.compare({ ...probe, nitroTpm });
    const told = statements.filter((each) => !trial.report.has(unattestedCode(trial), each));
    if (difference === 'more' && told.length > 0)
      trial.report.addTo('POLICY_NITRO_TPM', told, `${probe.action} for ${probe.caller.policyArn}`);
  }
}

function tryAsCaller(trial: Trial, probe: Probe, documents: readonly Values[]): void {
  const { comparer, report } = trial;
  const { caller, action } = probe;
  const bare = comparer.compare(probe);
  if (bare.difference === 'not-denied') tellMissingDeny(trial, action, 'without a document');
  if (!comparer.isConcerned(caller, action)) return;
  if (action === RE_ENCRYPTING) {
    if (bare.difference === 'more') report.addTo('POLICY_REENCRYPT', bare.statements, `for ${caller.policyArn}`);
    return;
  }
  if (bare.difference === 'more') tellUnattested(trial, probe, bare);
  tryNitroTpm(trial, probe);
  if (comparer.mayBeLetIn(probe)) tryDocuments(trial, probe, documents);
}

export function tryRevealing(trial: Trial): void {
  const { live, expected, callers, contexts, report } = trial;
  const { documents, isIncomplete } = documentsToTry(live, expected);
  if (isIncomplete) report.add('POLICY_TOO_MANY_VALUES', null, 'one deviation at a time was tried');
  for (const action of [...REVEALING, RE_ENCRYPTING]) {
    for (const caller of callers) {
      for (const context of contexts) {
        tryAsCaller(trial, { caller, action, encryptionContext: context }, documents);
      }
    }
  }
}
