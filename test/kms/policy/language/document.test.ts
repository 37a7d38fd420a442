import t from 'tap';
import { KmsPolicyError } from '../../../../kms/policy/errors.ts';
import { parseIdentityPolicy, parseKeyPolicy } from '../../../../kms/policy/language/document.ts';

const STATEMENT = { Effect: 'Allow', Principal: { AWS: '*' }, Action: 'kms:Decrypt', Resource: '*' };

function codeOf(parse: (text: string) => unknown, text: string): string {
  try {
    parse(text);
    return 'no error';
  } catch (error) {
    if (error instanceof KmsPolicyError) return error.code;
    throw error;
  }
}

t.test('rejects what the grammar of policies does not have (KMS_POLICY_SYNTAX)', async (t) => {
  const malformed: Record<string, unknown> = {
    'no statement': { Version: '2012-10-17' },
    'an empty list of statements': { Statement: [] },
    'an unknown version': { Version: '2020-01-01', Statement: STATEMENT },
    'an unknown member': { Statement: STATEMENT, Extra: 1 },
    'an unknown element': { Statement: { ...STATEMENT, Actions: 'kms:Decrypt' } },
    'an element in another case': { Statement: { ...STATEMENT, condition: {} } },
    'both principals': { Statement: { ...STATEMENT, NotPrincipal: '*' } },
    'both actions': { Statement: { ...STATEMENT, NotAction: 'kms:Decrypt' } },
    'no principal': { Statement: { ...STATEMENT, Principal: undefined } },
    'a principal that names nobody': { Statement: { ...STATEMENT, Principal: {} } },
    'no action': { Statement: { ...STATEMENT, Action: undefined } },
    'no actions': { Statement: { ...STATEMENT, Action: [] } },
    'no resource': { Statement: { ...STATEMENT, Resource: undefined } },
    'an unknown effect': { Statement: { ...STATEMENT, Effect: 'allow' } },
    'a list as condition': { Statement: { ...STATEMENT, Condition: [] } },
    'an object as value': { Statement: { ...STATEMENT, Condition: { StringEquals: { a: {} } } } },
    'over 32 KiB': { Statement: { ...STATEMENT, Sid: 'x'.repeat(32_768) } },
  };
  for (const [name, policy] of Object.entries(malformed)) {
    t.equal(codeOf(parseKeyPolicy, JSON.stringify(policy)), 'KMS_POLICY_SYNTAX', name);
  }
  t.equal(codeOf(parseKeyPolicy, '{'), 'KMS_POLICY_SYNTAX', 'no JSON');
  const twice = JSON.stringify({ Statement: STATEMENT }).replace('"Action"', '"Action":"*","Action"');
  t.equal(codeOf(parseKeyPolicy, twice), 'KMS_POLICY_SYNTAX', 'an element that is there twice');
  t.equal(
    codeOf(parseIdentityPolicy, JSON.stringify({ Statement: STATEMENT })),
    'KMS_POLICY_SYNTAX',
    'IAM, a principal',
  );
});

t.test('keeps what cannot be judged in the statement', async (t) => {
  const Condition = { NumericLessThan: { 'kms:ScheduleKeyDeletionPendingWindowInDays': 7 }, Bool: { 'aws:x': true } };
  const Principal = { AWS: ['111122223333', 'AROAEXAMPLEEXAMPLE123'], Service: 's3.amazonaws.com' };
  const [statement] = parseKeyPolicy(JSON.stringify({ Statement: { ...STATEMENT, Principal, Condition } }));
  t.match(statement, { number: 1, sid: undefined, principals: { isNegated: false, names: { length: 3 } } });
  t.match(statement?.conditions, [{ operator: undefined, values: ['7'] }, { values: ['true'] }]);
});
