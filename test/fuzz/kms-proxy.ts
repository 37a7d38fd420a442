/** Requests to KMS that programs in an enclave send, or are made to send. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseUniqueJson } from '../../encoding/unique-json.ts';
import { KmsProxyError } from '../../supervisor/kms-proxy/errors.ts';
import { type Head, type RawHead, readHead } from '../../supervisor/kms-proxy/head.ts';
import { readMembers } from '../../supervisor/kms-proxy/members.ts';
import { Rules } from '../../supervisor/kms-proxy/rules.ts';
import { fuzzer } from '../support/fuzz.ts';
import { hostile } from '../support/hostile-bytes.ts';

const parser = 'requests to KMS';
const REGIONS = ['eu-central-1', 'eu-west-1'] as const;
const arn = (region: string, id: string) => `arn:aws:kms:${region}:111122223333:key/${id}`;
const ALLOW = [
  { key: arn(REGIONS[0], 'one'), actions: ['Decrypt', 'ReEncrypt', 'Sign'] },
  { key: arn(REGIONS[0], 'two'), actions: ['Encrypt', 'ReEncrypt', 'Sign'] },
  { key: arn(REGIONS[1], 'one'), actions: ['Decrypt', 'GenerateDataKey'] },
] as const;
const rules = new Rules({ allow: ALLOW.map(({ key, actions }) => ({ key, actions: [...actions] })), random: true });

const action = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.constantFrom(...ALLOW.flatMap(({ actions }) => actions), 'GenerateRandom', 'DescribeKey'),
  },
  fc.constantFrom('constructor', '__proto__', 'CreateGrant', ''),
);
const key = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<string>(...ALLOW.map((rule) => rule.key), 'one', 'two') },
  fc.constantFrom('alias/one', 'ONE', 'one ', ''),
);
const value = fc.oneof(
  key,
  fc.constantFrom(true, 7, null),
  fc.dictionary(fc.string({ maxLength: 3 }), key, { maxKeys: 2 }),
  fc.array(key, { maxLength: 2 }),
);
const name = fc.constantFrom(
  'KeyId',
  'SourceKeyId',
  'DestinationKeyId',
  'EncryptionContext',
  'GrantTokens',
  'DryRun',
  'NumberOfBytes',
  'Recipient',
  '__proto__',
  'keyId',
);
const bodies = fc
  .array(fc.tuple(name, value), { maxLength: 4 })
  .map((members) =>
    Buffer.from(`{${members.map(([each, of]) => `${JSON.stringify(each)}:${JSON.stringify(of)}`).join()}}`),
  );

const SIGNATURE = `SignedHeaders=host, Signature=${'0'.repeat(64)}`;
const heads = fc
  .record({
    method: fc.constantFrom('POST', 'POST', 'POST', 'GET', ''),
    target: fc.constantFrom('/', '/', '/', '/?', '//', ''),
    type: fc.constantFrom('application/x-amz-json-1.1', 'application/x-amz-json-1.1; charset=utf-8', 'text/plain'),
    action: hostile(action.map((text) => Buffer.from(`TrentService.${text}`))),
    authorization: hostile(
      fc
        .constantFrom(...REGIONS, 'us-east-1')
        .map((region) =>
          Buffer.from(`AWS4-HMAC-SHA256 Credential=A/20260101/${region}/kms/aws4_request, ${SIGNATURE}`),
        ),
    ),
    times: fc.constantFrom(1, 1, 1, 0, 2),
  })
  .map(({ method, target, type, action: named, authorization, times }): RawHead => {
    const many = (bytes: Buffer) => Array<string>(times).fill(bytes.toString('latin1'));
    return {
      method,
      target,
      headers: { 'content-type': [type], 'x-amz-target': many(named), authorization: many(authorization) },
    };
  });

function orRefused<Result>(read: () => Result): Result | 'refused' {
  try {
    return read();
  } catch (error) {
    if (error instanceof KmsProxyError) return 'refused';
    throw error;
  }
}

/** What KMS would make of it. */
function keysNamed(members: Readonly<Record<string, unknown>>): readonly unknown[] {
  return ['KeyId', 'SourceKeyId', 'DestinationKeyId'].flatMap((member) =>
    Object.hasOwn(members, member) ? [members[member]] : [],
  );
}

const KEYS_OF: Readonly<Record<string, number>> = { GenerateRandom: 0, ReEncrypt: 2 };

export const KMS_PROXY = [
  fuzzer({
    parser,
    name: 'sends what it has judged, in one form, with listed keys only, or refuses',
    inputs: fc.tuple(action, fc.constantFrom(...REGIONS), hostile(bodies)),
    holds: ([of, region, body]) => {
      const judged = orRefused(() => rules.judge(of, region, readMembers(of, body)));
      if (judged === 'refused') return;
      const sent = JSON.stringify(judged.members);
      const read = parseUniqueJson(sent);
      assert.ok(typeof read === 'object' && read !== null && !('Recipient' in read));
      assert.equal(JSON.stringify(read), sent);
      const keys = keysNamed({ ...read });
      assert.equal(keys.length, KEYS_OF[of] ?? 1);
      const listed = ALLOW.filter(
        (rule) => rule.key.includes(region) && (rule.actions as readonly string[]).includes(of),
      );
      for (const each of keys)
        assert.ok(
          listed.some((rule) => rule.key === each),
          String(each),
        );
      assert.equal(judged.keyArn, keys.at(-1));
    },
  }),
  fuzzer({
    parser,
    name: 'finds action and region of a head, each a word of its own list or form, or refuses',
    inputs: heads,
    holds: (raw) => {
      const head: Head | 'refused' = orRefused(() => readHead(raw, REGIONS));
      if (head === 'refused') return;
      assert.match(head.action, /^[A-Za-z]{1,64}$/);
      assert.ok((REGIONS as readonly string[]).includes(head.region));
      assert.deepEqual(raw.headers['x-amz-target'], [`TrentService.${head.action}`]);
      assert.equal(`${raw.method} ${raw.target}`, 'POST /');
    },
  }),
];
