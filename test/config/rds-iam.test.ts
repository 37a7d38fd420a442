/** `database.login: rds-iam`: what tokens are made for is measured, and follows from the database's name where that says it. */
import t from 'tap';
import { type EnclaveConfig, enclaveSchema } from '../../config/enclave.ts';
import { rdsIamWarnings, rdsPlaceOf } from '../../config/rds-iam.ts';

const NAME = 'Records.abc123.eu-west-1.rds.amazonaws.com';
const USERS = [{ name: 'records app', clients: ['CN=billing'] }];
const KMS = { keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd', encryptionContext: { purpose: 'acra' } };

const parse = (database: object, others: object = { kms: KMS }) =>
  enclaveSchema.safeParse({
    version: 1,
    name: 'records',
    database: { login: 'rds-iam', users: USERS, ...database },
    ...others,
  });

function parsed(database: object, others?: object): EnclaveConfig {
  const { data, error } = parse(database, others);
  if (!data) throw error;
  return data;
}

function faults(database: object, others?: object): string[] {
  return (parse(database, others).error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

t.test('warns that the parent has this login too', async (t) => {
  t.match(rdsIamWarnings(parsed({ serverName: NAME })), [/role of the parent instance logs in/]);
  t.same(rdsIamWarnings({ database: { login: 'certificate' } }), []);
});

t.test('takes name, port and region of an RDS database, and no secrets of users', async (t) => {
  const config = parsed({ serverName: NAME });
  t.same(rdsPlaceOf(config), { host: NAME.toLowerCase(), port: 5432, region: 'eu-west-1' });
  t.same(config.database.users, [{ ...USERS[0], databases: ['records app'] }], 'a name that is none of a file, too');
  t.match(rdsPlaceOf(parsed({ serverName: 'db.test', rdsIam: { port: 6000 } })), {
    port: 6000,
    region: 'eu-central-1',
  });
  t.equal(
    rdsPlaceOf(parsed({ serverName: 'db.test', login: 'certificate', users: [{ ...USERS[0], name: 'a' }] })),
    undefined,
  );
});

t.test('takes the region of a name in China, where it stands in another place', async (t) => {
  const serverName = 'records.abc123.rds.cn-north-1.amazonaws.com.cn';
  t.match(rdsPlaceOf(parsed({ serverName })), { region: 'cn-north-1' });
  t.match(faults({ serverName, rdsIam: { region: 'eu-west-1' } }), [
    'database.rdsIam.region: must be cn-north-1, as database.serverName says; it can be left out',
  ]);
});

const REFUSED: readonly (readonly [what: string, database: object, fault: RegExp, others?: object])[] = [
  [
    'secrets of a user',
    { serverName: NAME, users: [{ ...USERS[0], secret: 'x' }] },
    /users\.0\.secret: must be left out/,
  ],
  [
    'next ones',
    { serverName: NAME, users: [{ ...USERS[0], nextSecret: 'x' }] },
    /users\.0\.nextSecret: must be left out/,
  ],
  ['no users', { serverName: NAME, users: [] }, /database\.users: must name at least one user/],
  ['an IP address', { serverName: '10.0.0.1' }, /serverName: must be the name of the database/],
  [
    'another region than the name says',
    { serverName: NAME, rdsIam: { region: 'eu-central-1' } },
    /region: must be eu-west-1/,
  ],
  ['what is no region', { serverName: NAME, rdsIam: { region: 'here' } }, /region: must be a region/],
  [
    'rdsIam with another login',
    { serverName: NAME, login: 'client', users: [], rdsIam: { port: 1 } },
    /rdsIam: is for/,
  ],
  [
    'acra-server in line',
    { serverName: NAME },
    /database\.login: must be left out/,
    { kms: KMS, ingress: { tls: 'passthrough' } },
  ],
  ['no region at all', { serverName: 'db.test' }, /region: must be given/, {}],
];
for (const [what, database, fault, others] of REFUSED)
  t.test(`rejects ${what}`, async (t) => {
    t.match(faults(database, others).join('\n'), fault);
  });
