/** Tries to seal keys of one's own, to hand rights on, and to rule over the key; and whether those who shall, can. */
import { ADMINISTERING, DELEGATING, DESTROYING, READING, RULING, SEALING, SIGNING } from '../actions.ts';
import type { Probe } from './compare.ts';
import type { Context } from './contexts.ts';
import { documentsToTry } from './documents.ts';
import type { PolicyFindingCode } from './findings.ts';
import { tellMissingDeny } from './revealing.ts';
import type { Trial } from './trial.ts';

/** Whoever else may read of the key learns no secret. */
const BY_OTHERS: readonly (readonly [readonly string[], PolicyFindingCode | undefined])[] = [
  [READING, undefined],
  [SEALING, 'POLICY_SEALING'],
  [[DELEGATING], 'POLICY_GRANT_POSSIBLE'],
  [RULING, 'POLICY_RULED_BY_OTHERS'],
  [[...ADMINISTERING, DESTROYING], 'POLICY_ADMINISTERED_BY_OTHERS'],
];

function tryAction(trial: Trial, probe: Probe, code: PolicyFindingCode | undefined): void {
  const { comparer, report } = trial;
  const { caller, action } = probe;
  const { difference, statements } = comparer.compare(probe);
  if (difference === 'more' && code !== undefined) report.addTo(code, statements, `${action} for ${caller.policyArn}`);
  const refused = caller.policyArn === trial.roleArn ? 'POLICY_ENCLAVE_REFUSED' : 'POLICY_ADMINISTRATOR_REFUSED';
  if (difference === 'less') report.add(refused, null, `${action} for ${caller.policyArn}`);
  if (difference === 'not-denied') tellMissingDeny(trial, action, 'by anybody');
}

/** In other contexts than the enclave's. */
function trySealingElsewhere(trial: Trial, probe: Probe, others: readonly Context[]): void {
  const { comparer, report } = trial;
  const mayInOwn = comparer.compare(probe).live === 'allow';
  for (const encryptionContext of others) {
    const { difference, statements } = comparer.compare({ ...probe, encryptionContext });
    if (difference !== 'more') continue;
    if (mayInOwn) report.addTo('POLICY_CONTEXT', statements, `${probe.action} in other contexts`);
    else report.addTo('POLICY_SEALING', statements, `${probe.action} for ${probe.caller.policyArn}`);
  }
}

export function tryRuling(trial: Trial): void {
  const [encryptionContext = {}, ...others] = trial.contexts;
  for (const [actions, code] of BY_OTHERS) {
    for (const action of actions) {
      for (const caller of trial.callers) {
        const probe = { caller, action, encryptionContext };
        tryAction(trial, probe, code);
        if (code === 'POLICY_SEALING') trySealingElsewhere(trial, probe, others);
      }
    }
  }
}

/** Of an application's key; acra-server's cannot sign. @param unattested what the application uses of it without a document */
export function tryUses(trial: Trial, unattested: readonly string[]): void {
  const codeOf = (action: string) => ((SIGNING as readonly string[]).includes(action) ? 'POLICY_SIGNING' : undefined);
  for (const action of new Set([...SIGNING, ...unattested])) {
    for (const caller of trial.callers) tryAction(trial, { caller, action, encryptionContext: {} }, codeOf(action));
  }
}

export interface Needed {
  readonly action: string;
  /** Each of them. */
  readonly contexts: readonly Context[];
}

/** The enclave that was named must get in, and by its registers alone. */
export function tryEnclave(trial: Trial, needed: readonly Needed[]): void {
  const { live, expected, comparer, report, callers, roleArn } = trial;
  const { documents, extra } = documentsToTry(live, expected);
  const caller = callers.find(({ policyArn }) => policyArn === roleArn);
  if (caller === undefined) return;
  for (const { action, contexts } of needed) {
    for (const [nth, values] of expected.entries()) {
      const own = documents.filter((document) => [...values].every(([index, value]) => document.get(index) === value));
      const refused = own.filter((document) =>
        contexts.some(
          (encryptionContext) => comparer.compare({ caller, action, document, encryptionContext }).live !== 'allow',
        ),
      );
      const which = expected.length === 1 ? '' : ` with measurements ${nth + 1}`;
      if (refused.length === own.length) report.add('POLICY_ENCLAVE_REFUSED', null, `${action}${which}`);
      else if (refused.length > 0) {
        report.add(
          'POLICY_REGISTER_EXTRA',
          null,
          `${action}${which}: ${extra.map((index) => `PCR${index}`).join(', ')}`,
        );
      }
    }
  }
}
