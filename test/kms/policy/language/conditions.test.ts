import t from 'tap';
import { roleArn } from '../../../../emulator/principal.ts';
import { ATTESTED, allow, type Case, decide, deny, IMAGE, PCR0, when } from '../support/decisions.ts';

const CASES: readonly Case[] = [
  {
    name: 'StringEquals on the image',
    statements: [allow(when('StringEquals', IMAGE, PCR0))],
    context: ATTESTED,
    decision: 'allow',
  },
  {
    name: 'StringEquals minds case',
    statements: [allow(when('StringEquals', IMAGE, PCR0.toUpperCase()))],
    context: ATTESTED,
    decision: 'implicit-deny',
  },
  {
    name: 'StringEqualsIgnoreCase does not',
    statements: [allow(when('StringEqualsIgnoreCase', IMAGE, PCR0.toUpperCase()))],
    context: ATTESTED,
    decision: 'allow',
  },
  {
    name: 'names of condition keys have no case',
    statements: [allow(when('StringEquals', IMAGE.toUpperCase(), PCR0))],
    context: ATTESTED,
    decision: 'allow',
  },
  {
    name: 'one of several values',
    statements: [allow(when('StringEquals', IMAGE, ['00', PCR0]))],
    context: ATTESTED,
    decision: 'allow',
  },
  {
    name: 'a required key that is absent',
    statements: [allow(when('StringEquals', IMAGE, PCR0))],
    decision: 'implicit-deny',
  },
  {
    name: 'a PCR that the document lacks',
    statements: [allow(when('StringEquals', 'kms:RecipientAttestation:PCR16', '00'.repeat(48)))],
    context: ATTESTED,
    decision: 'implicit-deny',
  },
  {
    name: 'PCR8',
    statements: [allow(when('StringLike', 'kms:RecipientAttestation:PCR8', '00*'))],
    context: ATTESTED,
    decision: 'allow',
  },
  {
    name: 'StringLike that does not match',
    statements: [allow(when('StringLike', IMAGE, 'cd*'))],
    context: ATTESTED,
    decision: 'implicit-deny',
  },
  {
    name: 'two operators, one fails',
    statements: [allow({ Condition: { StringEquals: { [IMAGE]: PCR0 }, StringLike: { [IMAGE]: 'cd*' } } })],
    context: ATTESTED,
    decision: 'implicit-deny',
  },
  {
    name: 'two keys, one fails',
    statements: [allow({ Condition: { StringEquals: { [IMAGE]: PCR0, 'kms:EncryptionContext:a': 'b' } } })],
    context: ATTESTED,
    decision: 'implicit-deny',
  },
  {
    name: 'encryption context',
    statements: [allow(when('StringEquals', 'kms:EncryptionContext:a', 'b'))],
    context: { 'kms:encryptioncontext:a': 'b' },
    decision: 'allow',
  },
  {
    name: 'encryption context minds the case of values',
    statements: [allow(when('StringEquals', 'kms:EncryptionContext:a', 'B'))],
    context: { 'kms:encryptioncontext:a': 'b' },
    decision: 'implicit-deny',
  },
  {
    name: 'Deny unless it is the image, and it is',
    statements: [allow(), deny(when('StringNotEqualsIgnoreCase', IMAGE, PCR0))],
    context: ATTESTED,
    decision: 'allow',
  },
  {
    name: 'Deny unless it is the image, and it is another',
    statements: [allow(), deny(when('StringNotEquals', IMAGE, '00'))],
    context: ATTESTED,
    decision: 'explicit-deny',
  },
  {
    name: 'Deny unless it is the image, and nothing is attested',
    statements: [allow(), deny(when('StringNotEquals', IMAGE, PCR0))],
    decision: 'explicit-deny',
  },
  {
    name: 'Deny unlike a pattern',
    statements: [allow(), deny(when('StringNotLike', IMAGE, 'ab*'))],
    context: ATTESTED,
    decision: 'allow',
  },
  {
    name: 'Deny when nothing is attested',
    statements: [allow(), deny(when('Null', IMAGE, 'true'))],
    decision: 'explicit-deny',
  },
  {
    name: 'Null is false when attested',
    statements: [allow(when('Null', IMAGE, 'false'))],
    context: ATTESTED,
    decision: 'allow',
  },
  {
    name: 'IfExists without a document',
    statements: [allow(when('StringEqualsIfExists', IMAGE, PCR0))],
    decision: 'allow',
  },
  {
    name: 'IfExists with another document',
    statements: [allow(when('StringEqualsIfExists', IMAGE, 'cd'))],
    context: ATTESTED,
    decision: 'implicit-deny',
  },
  {
    name: 'ForAllValues without a document',
    statements: [allow(when('ForAllValues:StringEquals', IMAGE, PCR0))],
    decision: 'allow',
  },
  {
    name: 'ForAnyValue without a document',
    statements: [allow(when('ForAnyValue:StringEquals', IMAGE, PCR0))],
    decision: 'implicit-deny',
  },
  {
    name: 'ForAnyValue with the document',
    statements: [allow(when('ForAnyValue:StringEquals', IMAGE, PCR0))],
    context: ATTESTED,
    decision: 'allow',
  },
  {
    name: 'a negated operator in an Allow, without a document',
    statements: [allow(when('StringNotEquals', IMAGE, '00'))],
    decision: 'allow',
  },
  {
    name: 'a Deny for what is attested, without a document',
    statements: [allow(), deny(when('StringEquals', IMAGE, '00'))],
    decision: 'allow',
  },
  {
    name: 'all names of the encryption context among those allowed',
    statements: [allow(when('ForAllValues:StringEquals', 'kms:EncryptionContextKeys', ['a', 'b']))],
    context: { 'kms:encryptioncontextkeys': ['a', 'b'] },
    decision: 'allow',
  },
  {
    name: 'one name of the encryption context too many',
    statements: [allow(when('ForAllValues:StringEquals', 'kms:EncryptionContextKeys', ['a']))],
    context: { 'kms:encryptioncontextkeys': ['a', 'b'] },
    decision: 'implicit-deny',
  },
  {
    name: 'a key of several values without a set operator',
    statements: [allow(when('StringEquals', 'kms:EncryptionContextKeys', 'a'))],
    context: { 'kms:encryptioncontextkeys': ['a', 'b'] },
    decision: 'undecided',
  },
  {
    name: 'ArnLike on the caller',
    statements: [allow(when('ArnLike', 'aws:PrincipalArn', 'arn:aws:iam::*:role/enc*'))],
    context: { 'aws:principalarn': roleArn('enclave') },
    decision: 'allow',
  },
  {
    name: 'a wildcard of ArnEquals is for one part',
    statements: [allow(when('ArnEquals', 'aws:PrincipalArn', 'arn:aws:*:*:role/enclave:*'))],
    context: { 'aws:principalarn': roleArn('enclave') },
    decision: 'implicit-deny',
  },
  {
    name: 'ArnLike with fewer than six parts is not judged',
    statements: [allow(when('ArnLike', 'aws:PrincipalArn', '*'))],
    context: { 'aws:principalarn': roleArn('enclave') },
    decision: 'undecided',
  },
  {
    name: 'nor does ArnNotLike deny by it',
    statements: [allow(), deny(when('ArnNotLike', 'aws:PrincipalArn', 'arn:aws:*'))],
    context: { 'aws:principalarn': roleArn('enclave') },
    decision: 'undecided',
  },
  {
    name: 'Bool',
    statements: [allow(when('Bool', 'aws:MultiFactorAuthPresent', true))],
    context: { 'aws:multifactorauthpresent': 'true' },
    decision: 'allow',
  },
  {
    name: 'an Allow that depends on what is not known',
    statements: [allow(when('StringEquals', 'aws:SourceVpce', 'vpce-1'))],
    decision: 'undecided',
  },
  {
    name: 'an Allow beside one that depends on what is not known',
    statements: [allow(when('StringEquals', 'aws:SourceVpce', 'vpce-1')), allow()],
    decision: 'allow',
  },
  {
    name: 'a Deny that depends on what is not known',
    statements: [allow(), deny(when('StringNotEquals', 'aws:SourceVpce', 'vpce-1'))],
    decision: 'undecided',
  },
  {
    name: 'a Deny that depends on what is not known, where nothing is allowed',
    statements: [deny(when('StringNotEquals', 'aws:SourceVpce', 'vpce-1'))],
    decision: 'implicit-deny',
  },
  {
    name: 'an operator that is not judged',
    statements: [allow(when('NumericEquals', IMAGE, 1))],
    context: ATTESTED,
    decision: 'undecided',
  },
  {
    name: 'an operator that does not exist',
    statements: [allow(when('toString', IMAGE, PCR0))],
    context: ATTESTED,
    decision: 'undecided',
  },
  {
    name: 'a variable of the policy language',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: so are they written
    statements: [allow(when('StringEquals', IMAGE, '${aws:username}'))],
    context: ATTESTED,
    decision: 'undecided',
  },
  {
    name: 'a register of a NitroTPM, to an enclave',
    statements: [allow(when('StringEquals', 'kms:RecipientAttestation:NitroTPMPCR4', PCR0))],
    context: ATTESTED,
    decision: 'implicit-deny',
  },
];

t.test('judges conditions as IAM does', async (t) => decide(t, CASES));
