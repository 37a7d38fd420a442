/** What endpoints.json says, used as a person would: with psql, which binds its login to a channel unless it is told not to. */
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import { libpqConninfo } from '../../../cli/demo/clients.ts';
import { servingStack } from '../../support/stack.ts';

/** acra-server 0.96.0 refuses the ALPN of libpq from 17. */
function withoutPsql(): string | false {
  const major = Number(/\d+/.exec(spawnSync('psql', ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[0] ?? 0);
  return major > 0 && major < 17 ? false : 'no psql up to 16 is here';
}

const ADDRESS = { host: '127.0.0.1', port: 5432 };

t.test('tells libpq to leave the channel alone, and to check the certificate', async (t) => {
  const conninfo = libpqConninfo(ADDRESS, { ca: '/a b/ca.pem', cert: "/it's/c.pem", key: '/back\\slash/k.pem' });
  t.match(conninfo, "channel_binding='disable'");
  t.match(conninfo, "sslmode='verify-full'");
  t.match(conninfo, "sslrootcert='/a b/ca.pem'");
  t.match(conninfo, "sslcert='/it\\'s/c.pem'");
  t.match(conninfo, "sslkey='/back\\\\slash/k.pem'");
});

t.test('lets psql in as the application', { skip: withoutPsql() }, async (t) => {
  const { stack, address } = await servingStack(t);
  const { certificate: cert, key, applicationCa: ca } = stack.parts.clientFiles;
  const conninfo = libpqConninfo(address, { ca, cert, key });
  const { stdout } = await promisify(execFile)('psql', [conninfo, '-Atc', 'SELECT count(id) FROM patients'], {
    env: { PATH: process.env['PATH'] ?? '' },
  });
  t.equal(stdout.trim(), '0');
});
