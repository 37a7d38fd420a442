/** Where keys come from: what goes together, what must be left out, and what the image then holds. */
import t from 'tap';
import { stringify } from 'yaml';
import { enclaveSchema } from '../../config/enclave.ts';
import { keysWarnings, parentKeysOf } from '../../config/keys.ts';
import { readConfig } from '../../config/load.ts';
import { measuredFiles } from '../../eif/rootfs/measured-files.ts';

const KEY_ARN = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const USER = { name: 'app', clients: ['CN=app'] };
const BASE = {
  version: 1,
  name: 'demo',
  tls: { key: 'attested', names: ['db.example.com'] },
  database: { serverName: 'db.test', users: [USER] },
  kms: { keyArn: KEY_ARN, encryptionContext: { purpose: 'test' } },
};
const ANNA = { name: 'anna', key: 'operators/anna.pem' };
const BORIS = { name: 'boris', key: 'operators/boris.pem' };
const PARENT = { source: 'parent', operators: [ANNA, BORIS] };
const PCR0 = 'ab'.repeat(48);
const SET = 'cd'.repeat(32);

const read = (sections: object) =>
  readConfig(enclaveSchema, Buffer.from(stringify({ ...BASE, ...sections })), 'enclave.yaml');

function faultsOf(sections: object): string {
  try {
    read(sections);
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
}

t.test('keeps keys in the image where nothing is said', async (t) => {
  const config = read({});
  t.equal(config.keys.source, 'image');
  t.equal(parentKeysOf(config), undefined);
  t.strictSame(keysWarnings(config), []);
  t.ok(measuredFiles(config).required.includes('master-key.json'));
});

t.test('demands one signature, allows no ceremony, and pins nothing, where nothing else is said', async (t) => {
  t.strictSame(parentKeysOf(read({ keys: PARENT })), {
    operators: [ANNA, BORIS],
    approvals: 1,
    ceremony: 'refused',
    madeIn: [],
    formerKmsKeys: [],
    keeper: { kind: 'kms' },
    pin: 'none',
  });
});

t.test('puts the operators’ keys into the image instead of sealed ones', async (t) => {
  const { required, keystore, entryOf } = measuredFiles(read({ keys: PARENT }));
  t.ok(required.includes('operators/anna.pem') && required.includes('operators/boris.pem'));
  t.notOk(required.includes('master-key.json') || required.includes('database/app.sealed'));
  t.equal(keystore, undefined);
  t.strictSame(entryOf('file', 'operators/anna.pem'), { mode: 0o644, owner: 0 });
  for (const file of ['master-key.json', 'keystore/client_storage', 'operators/clara.pem'])
    t.equal(entryOf('file', file), undefined, file);
});

t.test('warns of keys that can be rolled back, and of a ceremony that stays allowed', async (t) => {
  const warnings = (more: object) => keysWarnings(read({ keys: { ...PARENT, ...more } })).join('\n');
  t.match(warnings({}), 'rollback is not excluded');
  t.equal(warnings({ pin: 'policy' }), '');
  t.equal(warnings({ pin: SET }), '');
  t.match(warnings({ pin: 'policy', ceremony: 'allowed' }), 'keys.ceremony is allowed');
});

const REFUSED: readonly [what: string, sections: object, fault: string][] = [
  ['no operator', { keys: { source: 'parent' } }, 'keys.operators: found nothing; must name at least one'],
  ['an empty list of them', { keys: { ...PARENT, operators: [] } }, 'keys.operators'],
  ['a name twice', { keys: { ...PARENT, operators: [ANNA, { ...BORIS, name: 'anna' }] } }, 'keys.operators.1.name'],
  ['a file twice', { keys: { ...PARENT, operators: [ANNA, { ...BORIS, key: ANNA.key }] } }, 'keys.operators.1.key'],
  ['a name of other letters', { keys: { ...PARENT, operators: [{ ...ANNA, name: 'Anna' }] } }, 'keys.operators.0.name'],
  ['a file elsewhere', { keys: { ...PARENT, operators: [{ ...ANNA, key: '../a.pem' }] } }, 'keys.operators.0.key'],
  [
    'more approvals than operators',
    { keys: { ...PARENT, approvals: 3 } },
    'keys.approvals: found 3; must be at most 2',
  ],
  ['no approval', { keys: { ...PARENT, approvals: 0 } }, 'keys.approvals'],
  ['another word for the ceremony', { keys: { ...PARENT, ceremony: 'yes' } }, 'keys.ceremony'],
  ['a digest of another length', { keys: { ...PARENT, madeIn: [SET] } }, 'keys.madeIn.0'],
  ['capital digits', { keys: { ...PARENT, madeIn: [PCR0.toUpperCase()] } }, 'keys.madeIn.0'],
  ['the image of a debug enclave', { keys: { ...PARENT, madeIn: [PCR0, '0'.repeat(96)] } }, 'keys.madeIn.1'],
  ['an alias of a former key', { keys: { ...PARENT, formerKmsKeys: ['alias/old'] } }, 'keys.formerKmsKeys.0'],
  ['another word for the pin', { keys: { ...PARENT, pin: 'newest' } }, 'keys.pin'],
  ['a ceremony beside a pinned set', { keys: { ...PARENT, pin: SET, ceremony: 'allowed' } }, 'keys.ceremony'],
  ['a sealed TLS key', { tls: {}, keys: PARENT }, 'tls.key'],
  [
    'passthrough',
    { tls: {}, ingress: { tls: 'passthrough' }, database: { serverName: 'db.test' }, keys: PARENT },
    'keys.source',
  ],
  [
    'the generation in the encryption context, however it is spelt',
    { kms: { keyArn: KEY_ARN, encryptionContext: { 'Acra-Enclave-Generation': '1' } }, keys: PARENT },
    'kms.encryptionContext.Acra-Enclave-Generation',
  ],
  [
    'a second secret of a user',
    { database: { ...BASE.database, users: [{ ...USER, nextSecret: 'next' }] }, keys: PARENT },
    'database.users.0.nextSecret',
  ],
];
for (const [what, sections, fault] of REFUSED) {
  t.test(`rejects ${what}`, async (t) => {
    t.match(faultsOf(sections), `  - ${fault}`);
  });
}

for (const [field, value] of Object.entries({
  operators: [ANNA],
  approvals: 1,
  ceremony: 'refused',
  madeIn: [PCR0],
  formerKmsKeys: [KEY_ARN],
  pin: 'none',
})) {
  t.test(`rejects keys.${field} where keys lie in the image`, async (t) => {
    t.match(faultsOf({ keys: { [field]: value } }), `keys.${field}: `);
  });
}

t.test('tells all faults at once', async (t) => {
  const faults = faultsOf({ tls: {}, keys: { source: 'parent', approvals: 2 } });
  for (const path of ['keys.operators', 'keys.approvals', 'tls.key']) t.match(faults, path);
});
