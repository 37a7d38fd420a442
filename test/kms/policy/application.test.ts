/** The policy of an application's key: secrets for the measured enclave alone, the rest for its role, and nothing else. */
import t from 'tap';
import { RE_ENCRYPTING, REVEALING, SEALING, SIGNING } from '../../../kms/policy/actions.ts';
import { checkPolicy } from '../../../kms/policy/check/check.ts';
import { callerOf } from '../../../kms/policy/check/mentioned.ts';
import { KmsPolicyError } from '../../../kms/policy/errors.ts';
import { makeKeyPolicy, makeRolePolicy } from '../../../kms/policy/key-policy.ts';
import { parseKeyPolicy } from '../../../kms/policy/language/document.ts';
import { type Registers, requestContext } from '../../../kms/policy/language/request-context.ts';
import { simulate } from '../../../kms/policy/simulate.ts';
import type { PolicyWish } from '../../../kms/policy/wish.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { ADMINISTRATOR, APP_WISHES, KEY_ARN, OTHER_ROLE, ROLE, registers, WISH } from './support/wishes.ts';

/** With more, it has no Deny of its own that would beat it. */
const policyOf = (wish: PolicyWish, ...more: object[]) => {
  const { Version, Statement } = makeKeyPolicy(wish);
  const kept = more.length === 0 ? Statement : Statement.filter(({ Effect }) => Effect === 'Allow');
  return parseKeyPolicy(JSON.stringify({ Version, Statement: [...kept, ...more] }));
};

function isAllowed(wish: PolicyWish, action: string, document?: Registers, principal = ROLE): boolean {
  const caller = callerOf(principal);
  const context = requestContext({ caller, action, registers: document, encryptionContext: { any: 'context' } });
  const request = { caller, action, keyArn: KEY_ARN, context };
  return simulate({ keyPolicy: policyOf(wish), identityPolicies: [], request }).decision === 'allow';
}

for (const [name, wish] of Object.entries(APP_WISHES)) {
  const uses = wish.uses.map((action) => `kms:${action === 'ReEncrypt' ? 'ReEncryptTo' : action}`);
  t.test(`lets in what the application uses, and no more: ${name}`, async (t) => {
    const stranger = registers({ 0: 'dd', 3: 'a3', 16: 'b6' });
    for (const document of wish.measurements) {
      for (const action of REVEALING) {
        t.equal(isAllowed(wish, action, document), uses.includes(action), `${action} for the enclave`);
        t.notOk(isAllowed(wish, action), `${action} without a document`);
        t.notOk(isAllowed(wish, action, stranger), `${action} for another image`);
        for (const other of [ADMINISTRATOR, OTHER_ROLE]) t.notOk(isAllowed(wish, action, document, other));
      }
      for (const action of [...SEALING, ...SIGNING]) {
        t.equal(isAllowed(wish, action, document), uses.includes(action), `${action} for the role`);
        for (const other of [ADMINISTRATOR, OTHER_ROLE]) t.notOk(isAllowed(wish, action, document, other));
      }
      for (const action of [RE_ENCRYPTING, 'kms:CreateGrant']) t.notOk(isAllowed(wish, action, document), action);
    }
  });

  t.test(`finds nothing in the printed policy, and each thing more or less in others: ${name}`, async (t) => {
    const codes = (...more: object[]) => [
      ...new Set(checkPolicy({ live: policyOf(wish, ...more), wish, keyArn: KEY_ARN }).map(({ code }) => code)),
    ];
    const allow = (Action: string, AWS = OTHER_ROLE) => ({
      Effect: 'Allow',
      Principal: { AWS },
      Action,
      Resource: '*',
    });
    const deny = (Action: string) => ({ ...allow(Action), Effect: 'Deny', Principal: '*' });
    t.strictSame(codes(), []);
    t.ok(codes(allow('kms:Sign')).includes('POLICY_SIGNING'));
    t.ok(codes(allow('kms:Encrypt')).includes('POLICY_SEALING'));
    t.ok(codes(allow('kms:Decrypt')).some((code) => code === 'POLICY_BYPASS' || code === 'POLICY_NOT_ENFORCED'));
    for (const action of uses) t.ok(codes(deny(action)).includes('POLICY_ENCLAVE_REFUSED'), action);
  });
}

t.test('names in the role’s IAM policy what it may do with a key of another account', async (t) => {
  const of = (wish: PolicyWish) =>
    makeRolePolicy(wish, KEY_ARN.replace('111122223333', '444455556666')).Statement.at(-1);
  t.match(of(APP_WISHES['secrets and ciphertexts']!), {
    Action: ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:Encrypt'],
  });
  t.match(of(APP_WISHES['re-encryption to the key']!), { Action: ['kms:ReEncryptTo', 'kms:DescribeKey'] });
});

t.test('rejects a key that nothing is done with, or that is born in the enclave (KMS_POLICY_WISH)', async () => {
  for (const wrong of [{ uses: [] }, { uses: ['Decrypt'], keysBornInEnclave: true }])
    throwsCode(() => makeKeyPolicy({ ...WISH, ...wrong }), KmsPolicyError, 'KMS_POLICY_WISH');
});
