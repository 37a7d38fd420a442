/** What is wrong with a statement by itself, and what of it is not judged. */

import type { Condition } from '../language/condition.ts';
import { describeCondition, isUnderstood } from '../language/condition.ts';
import type { Policy, Statement } from '../language/document.ts';
import { matchesAny } from '../language/evaluate.ts';
import { isKnownName } from '../language/principal.ts';
import { isKnownKey, isNitroTpmKey, registerOfKey } from '../language/request-context.ts';
import { instanceOf } from './mentioned.ts';
import type { Report } from './report.ts';

function examineCondition(condition: Condition, statement: Statement, report: Report): void {
  const { key, keyName, operator, values } = condition;
  if (isNitroTpmKey(key)) report.add('POLICY_NITRO_TPM_KEY', statement, keyName);
  if (!isUnderstood(condition) || !isKnownKey(key)) {
    report.add('POLICY_UNJUDGED', statement, describeCondition(condition));
    return;
  }
  if (operator?.comparison === 'Null') return;
  const patterns = operator?.comparison.hasPatterns ? values.filter((value) => /[*?]/.test(value)) : [];
  if (registerOfKey(key) === undefined) {
    // One instance of a pattern is tried, and may fail for a second condition where another would not.
    const isAlone = statement.conditions.filter((other) => other.key === key).length === 1;
    if (patterns.length > 0 && !isAlone) report.add('POLICY_UNJUDGED', statement, `several conditions on ${keyName}`);
    return;
  }
  for (const pattern of patterns) report.add('POLICY_REGISTER_BROAD', statement, `${keyName} ${pattern.slice(0, 24)}`);
  for (const value of values.filter((each) => instanceOf(each) === undefined)) {
    report.add('POLICY_VALUE_MALFORMED', statement, `${keyName} ${value.slice(0, 24)}`);
  }
}

function examineStatement(statement: Statement, keyArn: string | undefined, report: Report): void {
  const { principals, resources, conditions } = statement;
  for (const condition of conditions) examineCondition(condition, statement, report);
  for (const { name } of (principals?.names ?? []).filter((each) => !isKnownName(each))) {
    report.add('POLICY_UNJUDGED', statement, `principal ${name}`);
  }
  if (principals?.isNegated) report.add('POLICY_UNJUDGED', statement, 'NotPrincipal');
  if (keyArn !== undefined && !matchesAny(resources, keyArn)) {
    const named = `${resources.isNegated ? 'NotResource' : 'resource'} ${resources.patterns.join(', ')}`;
    report.add(
      'POLICY_UNJUDGED',
      statement,
      `${named}: that leaves out the key ${keyArn}, of which this is said to be the policy`,
    );
  }
  if (keyArn === undefined && !resources.patterns.includes('*')) {
    report.add(
      'POLICY_UNJUDGED',
      statement,
      `resource ${resources.patterns.join(', ')}, because the key’s ARN is not known`,
    );
  }
}

export function examineShape(policy: Policy, keyArn: string | undefined, report: Report): void {
  for (const statement of policy) examineStatement(statement, keyArn, report);
}
