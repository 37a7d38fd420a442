/** Settings of libpq beside the certificate files: those that docs/clients.md says work, and those that cannot. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import { psqlOfWheels } from './support/psql-wheels.ts';
import { startTarget } from './target.ts';

const { program, library, lack } = psqlOfWheels({ psql: 18, libpq: 18 });

t.test('libpq 18', { skip: lack ?? false }, async (t) => {
  const target = await startTarget(t);
  const files = `sslrootcert=${target.ca} sslcert=${target.cert} sslkey=${target.key}`;
  const server = `host=${target.host} port=${target.port} user=${target.user} dbname=${target.database}`;

  async function connect(settings: string): Promise<string> {
    const args = ['-X', '-A', '-t', '-c', 'SELECT 1', `${server} ${files} sslmode=verify-full ${settings}`];
    const { stdout } = await promisify(execFile)(program, args, { env: { LC_ALL: 'C', LD_PRELOAD: library } });
    return stdout.trim();
  }

  for (const settings of [
    'sslnegotiation=direct',
    'sslcertmode=require',
    'require_auth=none',
    'channel_binding=prefer',
    'min_protocol_version=3.2 max_protocol_version=3.2',
    'gssencmode=disable',
    'target_session_attrs=read-write',
  ])
    await t.test(`connects with ${settings}`, async (t) => t.equal(await connect(settings), '1'));

  for (const [settings, words] of [
    ['channel_binding=require', /channel binding required, but server authenticated client without channel binding/],
    ['require_auth=scram-sha-256', /"scram-sha-256" failed: server did not complete authentication/],
  ] as const)
    await t.test(`is refused by libpq itself with ${settings}`, (t) =>
      t.rejects(connect(settings), { message: words }),
    );
});
