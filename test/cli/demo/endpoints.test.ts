/** What endpoints.json says, used as a person would: with psql at its defaults. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import { libpqConninfo } from '../../../cli/demo/clients.ts';
import { withoutPsql } from '../../support/psql.ts';
import { servingStack } from '../../support/stack.ts';

const ADDRESS = { host: '127.0.0.1', port: 5432 };

t.test('tells libpq to check the certificate and to show one, and nothing else', async (t) => {
  const conninfo = libpqConninfo(ADDRESS, { ca: '/a b/ca.pem', cert: "/it's/c.pem", key: '/back\\slash/k.pem' });
  t.notMatch(conninfo, /password|channel_binding|gssencmode/);
  t.match(conninfo, "sslmode='verify-full'");
  t.match(conninfo, "sslrootcert='/a b/ca.pem'");
  t.match(conninfo, "sslcert='/it\\'s/c.pem'");
  t.match(conninfo, "sslkey='/back\\\\slash/k.pem'");
});

t.test('lets psql in as the application', { skip: withoutPsql }, async (t) => {
  const { stack, address } = await servingStack(t);
  const { certificate: cert, key, applicationCa: ca } = stack.parts.clientFiles;
  const conninfo = libpqConninfo(address, { ca, cert, key });
  const { stdout } = await promisify(execFile)('psql', [conninfo, '-Atc', 'SELECT count(id) FROM patients'], {
    env: { PATH: process.env['PATH'] ?? '' },
  });
  t.equal(stdout.trim(), '0');
});
