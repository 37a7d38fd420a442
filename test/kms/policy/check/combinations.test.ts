/** Conditions that let somebody in only together: a context of one's own, an account, a register that is absent, patterns that overlap. */
import t from 'tap';
import { ALLOWS, allow, codesIn, DENIES, deny, hex, IMAGE_KEY, type Json } from '../support/live.ts';
import { ROLE, WISH } from '../support/wishes.ts';

const when = (Condition: Json, more: Json = {}) => allow({ Condition, ...more });
const context = (value: string) => ({ 'kms:EncryptionContext:purpose': value });
const PCR31 = 'kms:RecipientAttestation:PCR31';

const FOUND: readonly (readonly [string, Json, string])[] = [
  ['a context of its own', when({ StringEquals: context('other') }), 'POLICY_BYPASS'],
  ['a pattern of contexts', when({ StringLike: context('acra-*') }), 'POLICY_BYPASS'],
  ['a context that nobody else names', when({ StringEquals: { 'kms:EncryptionContext:x': 'y' } }), 'POLICY_BYPASS'],
  [
    'sealing in a context of its own',
    when({ StringEquals: context('other') }, { Action: 'kms:Encrypt' }),
    'POLICY_SEALING',
  ],
  [
    'another account',
    when({ StringEquals: { 'kms:CallerAccount': '444455556666' } }, { Principal: '*' }),
    'POLICY_BYPASS',
  ],
  [
    'a pattern of accounts',
    when({ StringLike: { 'aws:PrincipalAccount': '4444*' } }, { Principal: '*' }),
    'POLICY_BYPASS',
  ],
  [
    'a role of another account, by its name',
    when(
      {
        StringEquals: { 'aws:PrincipalAccount': '999999999999' },
        ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:role/x' },
      },
      { Principal: '*' },
    ),
    'POLICY_BYPASS',
  ],
  [
    'a register that is absent, and an old image',
    when({ StringEquals: { [IMAGE_KEY]: hex('0d') }, Null: { [PCR31]: 'true' } }),
    'POLICY_UNKNOWN_IMAGE',
  ],
  [
    'a register that is absent, and any image',
    when({ Null: { [PCR31]: 'true', [IMAGE_KEY]: 'false' } }),
    'POLICY_REGISTER_BROAD',
  ],
  [
    'two patterns of one register',
    when({ StringLike: { [IMAGE_KEY]: 'a*' }, 'ForAnyValue:StringLike': { [IMAGE_KEY]: '*b' } }),
    'POLICY_REGISTER_BROAD',
  ],
  [
    'two patterns of names',
    when(
      { ArnLike: { 'aws:PrincipalArn': 'arn:*:role/a*' }, StringLike: { 'aws:PrincipalArn': '*b' } },
      { Principal: '*' },
    ),
    'POLICY_UNJUDGED',
  ],
  [
    'a value of a list, but not another',
    when({ StringEquals: { [IMAGE_KEY]: [hex('0d'), hex('0e')] }, StringNotEquals: { [IMAGE_KEY]: hex('0d') } }),
    'POLICY_UNKNOWN_IMAGE',
  ],
];

t.test('finds what lets in only by several conditions together', async (t) => {
  for (const [name, statement, code] of FOUND) {
    for (const wish of [WISH, { ...WISH, encryptionContext: {} }]) {
      const codes = codesIn([...ALLOWS, statement], { wish });
      t.ok(codes.includes(code), `${name}: ${codes.join()}`);
    }
  }
});

t.test('finds Denies whose patterns leave a gap between them', async (t) => {
  const gap = [
    deny({ Condition: { StringNotLike: { [IMAGE_KEY]: 'a*' } } }),
    deny({ Condition: { StringNotLike: { [IMAGE_KEY]: '*b' } } }),
  ];
  t.ok(codesIn([...ALLOWS, allow(), ...gap]).includes('POLICY_REGISTER_BROAD'));
});

t.test('keeps silent about those who may read of the key, and learn no secret', async (t) => {
  const reading = allow({
    Principal: { AWS: 'arn:aws:iam::111122223333:role/audit' },
    Action: ['kms:Describe*', 'kms:Get*Policy', 'kms:List*'],
  });
  t.same(codesIn([...ALLOWS, ...DENIES, reading]), []);
});

t.test('judges a policy of many images', async (t) => {
  const images = Array.from({ length: 60 }, (_, nth) => hex((nth + 100).toString(16)));
  const statements = images.map((image) =>
    allow({ Principal: { AWS: ROLE }, Condition: { StringEquals: { [IMAGE_KEY]: image } } }),
  );
  t.ok(codesIn([...ALLOWS, ...DENIES, ...statements]).length === 0, 'the Denies stop them');
  t.ok(codesIn([...ALLOWS, ...statements]).includes('POLICY_UNKNOWN_IMAGE'));
});
