/**
 * What Prowler's checks of enclave keys find (kms_key_enclave_…), with one policy that has it and one that has not. Two of them look
 * at CloudTrail: what they find happening, the policy allows, and here the policy is found.
 */
import t from 'tap';
import type { PolicyFindingCode } from '../../../../kms/policy/check/findings.ts';
import {
  ADMINISTRATION,
  ALLOWS,
  allow,
  codesIn,
  DEMANDED,
  DENIES,
  demanding,
  hex,
  IMAGE_KEY,
  type Json,
} from '../support/live.ts';
import { ACCOUNT } from '../support/wishes.ts';

const registers = DEMANDED.StringEqualsIgnoreCase;
const only = (more: Json) => [...ADMINISTRATION, allow(more)];
const right = only({ Condition: DEMANDED });
const account = allow({ Principal: { AWS: ACCOUNT }, Action: 'kms:*' });
const withImages = (...values: string[]) => only(demanding({ ...registers, [IMAGE_KEY]: values.map(hex) }));

interface Case {
  readonly check: string;
  readonly code: PolicyFindingCode;
  readonly flagged: readonly Json[];
  readonly passed: readonly Json[];
}

const CASES: readonly Case[] = [
  { check: 'attestation_not_enforced', code: 'POLICY_NOT_ENFORCED', flagged: only({}), passed: right },
  {
    check: 'attestation_bypassable_path',
    code: 'POLICY_BYPASS',
    flagged: [...right, account],
    passed: [...right, account, ...DENIES],
  },
  {
    check: 'attestation_no_deployment_binding',
    code: 'POLICY_NO_DEPLOYMENT',
    flagged: only(demanding({ ...registers, 'kms:RecipientAttestation:PCR3': undefined })),
    passed: right,
  },
  {
    check: 'attestation_pcr_mismatch: the enclave is not let in',
    code: 'POLICY_ENCLAVE_REFUSED',
    flagged: withImages('0d'),
    passed: right,
  },
  {
    check: 'attestation_pcr_mismatch: another is',
    code: 'POLICY_UNKNOWN_IMAGE',
    flagged: withImages('a0', '0d'),
    passed: right,
  },
  {
    check: 'attestation_unknown_image',
    code: 'POLICY_UNKNOWN_IMAGE',
    flagged: only({
      Condition: { ...DEMANDED, StringEqualsIgnoreCase: {}, StringLike: { ...registers, [IMAGE_KEY]: '*0' } },
    }),
    passed: right,
  },
  { check: 'debug_attestation_detected', code: 'POLICY_DEBUG', flagged: withImages('a0', '00'), passed: right },
  {
    check: 'a register with a wildcard',
    code: 'POLICY_REGISTER_BROAD',
    flagged: only({
      Condition: { ...DEMANDED, StringEqualsIgnoreCase: {}, StringLike: { ...registers, [IMAGE_KEY]: '*' } },
    }),
    passed: only({ Condition: { ...DEMANDED, StringEqualsIgnoreCase: {}, StringLike: registers } }),
  },
  {
    check: 'a register without a condition',
    code: 'POLICY_REGISTER_MISSING',
    flagged: only(demanding({ ...registers, [IMAGE_KEY]: undefined })),
    passed: right,
  },
];

for (const { check, code, flagged, passed } of CASES) {
  t.test(`finds what Prowler’s checks find: ${check} (${code})`, async (t) => {
    t.ok(codesIn(flagged).includes(code), codesIn(flagged).join());
    t.notOk(codesIn(passed).includes(code), codesIn(passed).join());
  });
}

t.test('goes beyond them: operators that hold without a document, and actions that they do not look at', async (t) => {
  t.same(codesIn([...ALLOWS, ...DENIES]), []);
  t.ok(
    codesIn([...ALLOWS, allow({ Condition: { 'ForAllValues:StringEquals': registers } })]).includes('POLICY_BYPASS'),
  );
  t.ok(codesIn([...ALLOWS, allow({ Action: 'kms:ReEncryptFrom' })]).includes('POLICY_REENCRYPT'));
});
