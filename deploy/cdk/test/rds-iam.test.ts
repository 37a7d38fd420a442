/** Logins to the database by IAM: the parents' role may be exactly the users that the measured enclave.yaml names, in this database. */
import { appendFileSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import t, { type Test } from 'tap';
import { rejectsCode } from '../../../test/support/coded-error.ts';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { DeployError } from '../../errors.ts';
import { readDeployment } from '../config/read.ts';
import { addDeployment } from '../stacks/deployment.ts';
import { at, list } from './support/look.ts';
import { APP } from './support/synthesized.ts';

const { context } = JSON.parse(readFileSync(join(APP, 'cdk.json'), 'utf8'));
const IAM_USERS = '\n      iamUsers: [records_app]';
const LOGIN = `database:
  serverName: records.abc123.eu-central-1.rds.amazonaws.com
  login: rds-iam
  rdsIam: {port: PORT}
  users: [{name: records_app, clients: ['CN=billing,O=Example']}]
`;

/** The example with a database in three zones, whose enclave.yaml has another section `database`. */
function deploymentFile(t: Test, { users = IAM_USERS, database = LOGIN, port = '5433', aurora = false } = {}): string {
  const folder = temporaryFolder(t);
  cpSync(join(APP, 'examples'), folder, { recursive: true });
  const file = join(folder, 'multi-az.yaml');
  const text = readFileSync(file, 'utf8');
  const ofKind = aurora ? text.replace('kind: rds', 'kind: aurora').replace('db.m6g.large', 'db.r6g.large') : text;
  writeFileSync(file, ofKind.replace(/instanceClass: .*/, `$&${users}`));
  const enclave = join(folder, 'images/multi-az/enclave/enclave.yaml');
  writeFileSync(enclave, readFileSync(enclave, 'utf8').replace(/\ndatabase:\n( [^\n]*\n)+/, '\n'));
  appendFileSync(enclave, database.replace('PORT', port));
  return file;
}

for (const [kind, type, id] of [
  ['rds', 'AWS::RDS::DBInstance', 'DbiResourceId'],
  ['aurora', 'AWS::RDS::DBCluster', 'DBClusterResourceId'],
] as const)
  t.test(`lets the parents’ role be the users that enclave.yaml names, and nobody else (${kind})`, (t) => {
    const app = new App({ context, outdir: temporaryFolder(t) });
    addDeployment(app, readDeployment(deploymentFile(t, { aurora: kind === 'aurora' })));
    const { template } = app.synth().getStackByName('acra-eu-central-1-database');
    const resources = Object.values(at(template, 'Resources') as object);
    const [policy, ...others] = resources.filter(({ Type }) => Type === 'AWS::IAM::ManagedPolicy');
    t.same(others, []);
    const [statement, ...more] = list(at(policy, 'Properties', 'PolicyDocument', 'Statement'));
    t.same(more, []);
    t.match(statement, { Effect: 'Allow', Action: 'rds-db:connect' });
    const resource = JSON.stringify(statement?.['Resource']);
    t.match(resource, 'arn:aws:rds-db:eu-central-1:111122223333:dbuser:');
    t.match(resource, id, 'of this database, whatever it will be');
    t.match(resource, '/records_app');
    t.notMatch(resource, '*');
    t.ok(resources.some((each) => each.Type === type && each.Properties.EnableIAMDatabaseAuthentication === true));
    t.end();
  });

t.test('keeps each policy of logins within what IAM takes, however many users there are', (t) => {
  const names = Array.from({ length: 100 }, (_, index) => `u${'x'.repeat(59)}${String(index).padStart(3, '0')}`);
  const users = `\n      iamUsers: [${names.join(', ')}]`;
  const told = names.map((name) => `{name: ${name}, clients: ['CN=${name}']}`).join(', ');
  const database = LOGIN.replace(/users: .*/, `users: [${told}]`);
  const app = new App({ context, outdir: temporaryFolder(t) });
  addDeployment(app, readDeployment(deploymentFile(t, { users, database, aurora: true })));
  const { template } = app.synth().getStackByName('acra-eu-central-1-database');
  const resources = Object.values(at(template, 'Resources') as object);
  const policies = resources
    .filter(({ Type }) => Type === 'AWS::IAM::ManagedPolicy')
    .map(({ Properties }) => Properties);
  const text = policies.map(({ PolicyDocument }) => JSON.stringify(PolicyDocument));
  for (const name of names) t.equal(text.filter((each) => each.includes(`/${name}"`)).length, 1, name);
  const resolved = text.map((each) =>
    each.replaceAll(/\{"Fn::Join":\["",\["([^"]+)",\{[^}]+\},"([^"]+)"\]\]\}/g, `"$1${'R'.repeat(34)}$2"`),
  );
  for (const each of resolved) t.ok(each.length <= 6_144, `${each.length} characters`);
  t.ok(policies.length <= 8, 'a role takes ten, and the fleet adds one');
  t.end();
});

const PASSWORDS = LOGIN.replace('rds-iam', 'certificate').replace(/ {2}rdsIam.*\n/, '');
for (const [what, options] of [
  ['users that the measured configuration does not have', { users: '\n      iamUsers: [records_app, owner]' }],
  ['none where it logs in by IAM', { users: '' }],
  ['some where it logs in by passwords', { database: PASSWORDS }],
  ['tokens for another port', { port: '5432' }],
] as const)
  t.test(`rejects ${what} (CDK_DATABASE_LOGIN)`, async (t) => {
    const file = deploymentFile(t, options);
    await rejectsCode(async () => readDeployment(file), DeployError, 'CDK_DATABASE_LOGIN');
  });
