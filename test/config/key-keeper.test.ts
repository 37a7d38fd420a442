import t from 'tap';
import { type EnclaveConfig, enclaveSchema } from '../../config/enclave.ts';
import { kmsCaFiles, kmsPlaceOf, kmsPlaces, kmsRoutes } from '../../config/key-keeper.ts';
import { requireKms } from '../../config/kms.ts';
import { kmsEntropyOf } from '../../config/supervision.ts';

const arn = (region: string, id: string, account = '111122223333') => `arn:aws:kms:${region}:${account}:key/${id}`;
const HOME = arn('eu-central-1', 'home');
const operators = ['alice', 'bob', 'carol'].map((name) => ({
  name,
  key: `operators/${name}.pem`,
  encryptionKey: `operators/${name}.x25519.pem`,
}));
const KMS = { keyArn: HOME, encryptionContext: { enclave: 'records' }, endpoint: 'https://kms.test', ca: 'kms.pem' };

function parse(keys: object, others: object = { kms: KMS }) {
  return enclaveSchema.safeParse({
    version: 1,
    name: 'records',
    tls: { key: 'attested', names: ['db.example.com'] },
    database: { serverName: 'db.internal', users: [{ name: 'app', clients: ['CN=app'] }] },
    keys: { source: 'parent', operators, ...keys },
    ...others,
  });
}

function accepted(keys: object, others?: object): EnclaveConfig {
  return parse(keys, others).data as EnclaveConfig;
}

const threshold = (k: number, ...keys: object[]) => ({ keeper: { kind: 'threshold', k, keys } });
const byOperators = (k: number, ...names: string[]) => ({ keeper: { kind: 'operators', k, operators: names } });
const FAR = { keyArn: arn('us-east-1', 'far'), route: 'kms2' };
const OTHER_ACCOUNT = { keyArn: arn('eu-central-1', 'theirs', '444455556666') };

t.test('keeps the data key with kms.keyArn unless it is told otherwise', async (t) => {
  for (const keys of [{}, { keeper: { kind: 'kms' } }]) {
    const config = accepted(keys);
    t.same(kmsPlaces(config), [
      { keyArn: HOME, region: 'eu-central-1', route: 'kms', endpoint: 'https://kms.test', ca: 'kms.pem' },
    ]);
    t.same([...kmsRoutes(config)], ['kms']);
    t.equal(kmsEntropyOf(config), 'required');
  }
});

t.test('reaches each of several KMS keys by its own way out', async (t) => {
  const far = { ...FAR, endpoint: 'https://kms.us-east-1.amazonaws.com', ca: 'far.pem' };
  const config = accepted(threshold(2, { keyArn: HOME }, OTHER_ACCOUNT, far));
  t.match(kmsPlaces(config), [
    { keyArn: HOME, route: 'kms', endpoint: 'https://kms.test', ca: 'kms.pem' },
    { keyArn: OTHER_ACCOUNT.keyArn, route: 'kms', endpoint: 'https://kms.test', ca: 'kms.pem' },
    { keyArn: FAR.keyArn, region: 'us-east-1', route: 'kms2', endpoint: far.endpoint, ca: 'far.pem' },
  ]);
  t.same([...kmsRoutes(config)], ['kms', 'kms2']);
  t.same(
    kmsCaFiles(config).map(({ file }) => file),
    ['kms.pem', 'far.pem'],
  );
  const kms = requireKms(config);
  t.match(kmsPlaceOf(arn('us-east-1', 'former'), { ...config, kms }), { region: 'us-east-1', route: 'kms2' });
  t.match(kmsPlaceOf(arn('eu-central-1', 'former'), { ...config, kms }), { region: 'eu-central-1', route: 'kms' });
});

t.test('needs no KMS where operators keep the data key', async (t) => {
  const config = accepted(byOperators(2, 'alice', 'bob', 'carol'), {});
  t.equal(config.kms, undefined);
  t.same(kmsPlaces(config), []);
  t.same([...kmsRoutes(config)], []);
  t.equal(kmsEntropyOf(config), 'off');
  t.ok(parse(byOperators(2, 'alice', 'bob'), { entropy: { kms: 'off' } }).success);
  t.same(
    [...kmsRoutes(accepted(byOperators(2, 'alice', 'bob')))],
    ['kms'],
    'unless it is named: sets may come from there',
  );
});

const noKey = { name: 'dave', key: 'dave.pem' };
const FAULTS: readonly (readonly [what: string, path: string, keys: object, others?: object])[] = [
  ['no KMS without keepers', 'kms', {}, {}],
  ['no KMS with KMS keys', 'kms', threshold(2, { keyArn: HOME }, OTHER_ACCOUNT), {}],
  ['randomness of KMS without KMS', 'entropy.kms', byOperators(2, 'alice', 'bob'), { entropy: { kms: 'optional' } }],
  [
    'former KMS keys without KMS',
    'keys.formerKmsKeys',
    { ...byOperators(2, 'alice', 'bob'), formerKmsKeys: [HOME] },
    {},
  ],
  ['a key policy without KMS', 'keys.pin', { ...byOperators(2, 'alice', 'bob'), pin: 'policy' }, {}],
  ['one of several', 'keys.keeper.k', threshold(1, { keyArn: HOME }, OTHER_ACCOUNT)],
  ['more than there are keys', 'keys.keeper.k', threshold(3, { keyArn: HOME }, OTHER_ACCOUNT)],
  ['more than there are operators', 'keys.keeper.k', byOperators(3, 'alice', 'bob')],
  ['one key', 'keys.keeper.keys', threshold(2, { keyArn: HOME })],
  ['keys without kms.keyArn', 'keys.keeper.keys', threshold(2, FAR, OTHER_ACCOUNT)],
  ['a key twice', 'keys.keeper.keys.1.keyArn', threshold(2, { keyArn: HOME }, { keyArn: HOME })],
  [
    'a replica of a key',
    'keys.keeper.keys.2.keyArn',
    threshold(
      2,
      { keyArn: HOME },
      { keyArn: arn('eu-central-1', 'mrk-a') },
      { keyArn: arn('us-east-1', 'mrk-a'), route: 'kms2' },
    ),
  ],
  ['an alias', 'keys.keeper.keys.1.keyArn', threshold(2, { keyArn: HOME }, { keyArn: 'alias/other' })],
  ['another region by route kms', 'keys.keeper.keys.1.route', threshold(2, { keyArn: HOME }, { keyArn: FAR.keyArn })],
  [
    'an endpoint for route kms',
    'keys.keeper.keys.0.endpoint',
    threshold(2, { keyArn: HOME, endpoint: 'https://a' }, FAR),
  ],
  ['a CA for route kms', 'keys.keeper.keys.0.ca', threshold(2, { keyArn: HOME, ca: 'a.pem' }, FAR)],
  ['a route that there is not', 'keys.keeper.keys.1.route', threshold(2, { keyArn: HOME }, { ...FAR, route: 'imds' })],
  [
    'KMS of another region',
    'keys.keeper.keys.1.endpoint',
    threshold(2, { keyArn: HOME }, { ...FAR, endpoint: 'https://kms.eu-west-1.amazonaws.com' }),
  ],
  [
    'one route to two endpoints',
    'keys.keeper.keys.2.route',
    threshold(2, { keyArn: HOME }, FAR, { keyArn: arn('eu-west-1', 'third'), route: 'kms2' }),
  ],
  ['an operator that there is not', 'keys.keeper.operators.1', byOperators(2, 'alice', 'mallory')],
  ['an operator twice', 'keys.keeper.operators.1', byOperators(2, 'alice', 'alice')],
  [
    'an operator to whom nothing can be encrypted',
    'keys.keeper.operators.1',
    { ...byOperators(2, 'alice', 'dave'), operators: [...operators, noKey] },
  ],
];
for (const [what, path, keys, others] of FAULTS) {
  t.test(`rejects ${what}`, async (t) => {
    t.equal(parse(keys, others).error?.issues[0]?.path.join('.'), path);
  });
}

t.test('rejects keepers of keys that lie in the image', async (t) => {
  const { error } = parse({ source: 'image', operators: undefined, keeper: { kind: 'kms' } });
  t.same(
    error?.issues.map(({ path }) => path.join('.')),
    ['keys.keeper'],
  );
});
