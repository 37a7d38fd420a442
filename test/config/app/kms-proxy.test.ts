/** kmsProxy of enclave.yaml: what contradicts itself is refused, each with its path. */
import t from 'tap';
import { kmsProxySection } from '../../../config/app/kms-proxy.ts';

const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/one';
const SECTION = { regions: [{ region: 'eu-central-1' }], allow: [{ key: KEY, actions: ['Decrypt'] }] };

t.test('takes one region and one key, with everything else by default', (t) => {
  t.match(kmsProxySection.parse(SECTION), {
    listen: { host: '127.0.0.1', port: 10_001 },
    regions: [{ region: 'eu-central-1', route: 'kms' }],
    random: false,
    maxBodyBytes: 65_536,
    maxConnections: 64,
    requestTimeoutMs: 10_000,
  });
  t.equal(kmsProxySection.parse(undefined), undefined);
  t.ok(kmsProxySection.safeParse({ ...SECTION, allow: [], random: true }).success, 'randomness alone');
  t.end();
});

const two = (...regions: object[]) => ({ ...SECTION, regions: [...SECTION.regions, ...regions] });
const REFUSED: readonly [what: string, section: object, path: string][] = [
  [
    'a key of a region without a way',
    { ...SECTION, allow: [{ key: KEY.replace('central', 'west'), actions: ['Decrypt'] }] },
    'allow.0.key',
  ],
  [
    'a key of another partition',
    { ...SECTION, allow: [{ key: KEY.replace(':aws:', ':aws-cn:'), actions: ['Decrypt'] }] },
    'allow.0.key',
  ],
  ['a key twice', { ...SECTION, allow: [...SECTION.allow, ...SECTION.allow] }, 'allow.1.key'],
  ['an alias', { ...SECTION, allow: [{ key: 'alias/one', actions: ['Decrypt'] }] }, 'allow.0.key'],
  [
    'an action that names no key',
    { ...SECTION, allow: [{ key: KEY, actions: ['GenerateRandom'] }] },
    'allow.0.actions.0',
  ],
  ['an action that rules keys', { ...SECTION, allow: [{ key: KEY, actions: ['PutKeyPolicy'] }] }, 'allow.0.actions.0'],
  ['no key and no randomness', { ...SECTION, allow: [] }, 'allow'],
  ['a region twice', two({ region: 'eu-central-1', route: 'kms2' }), 'regions.1.region'],
  ['two regions on one route', two({ region: 'eu-west-1' }), 'regions.1.route'],
  [
    'an endpoint of another region',
    { ...SECTION, regions: [{ region: 'eu-central-1', endpoint: 'https://kms.eu-west-1.amazonaws.com' }] },
    'regions.0.endpoint',
  ],
  [
    'an endpoint without TLS',
    { ...SECTION, regions: [{ region: 'eu-central-1', endpoint: 'http://kms.test' }] },
    'regions.0.endpoint',
  ],
  ['an address that others reach', { ...SECTION, listen: 'tcp://0.0.0.0:10001' }, 'listen'],
];
for (const [what, section, path] of REFUSED) {
  t.test(`rejects ${what} (${path})`, (t) => {
    const { error } = kmsProxySection.safeParse(section);
    t.strictSame([...new Set(error?.issues.map((issue) => issue.path.join('.')))], [path]);
    t.end();
  });
}
