/** Sessions that fail at the database's TLS, told by acra-server's log, against those that get through. */

import { PassThrough } from 'node:stream';
import t from 'tap';
import { SupervisorError } from '../../../../supervisor/errors.ts';
import { AcraOutput } from '../../../../supervisor/workloads/acra/output.ts';
import { SessionTls } from '../../../../supervisor/workloads/acra/session-tls.ts';
import { throwsCode } from '../../../support/coded-error.ts';
import { MemoryLogger } from '../../../support/memory-logger.ts';

/** As acra-server 0.96.0 wrote it (docs/specs/acra-server.md, 12). */
const line = (error: string, msg = "Can't initialize tls connection with db") =>
  `${JSON.stringify({ code: 584, error, level: 'error', msg, product: 'acra-server', proxy: 'server', session_id: 1, version: '0.96.0' })}\n`;
const UNTRUSTED =
  'tls: failed to verify certificate: x509: certificate relies on legacy Common Name field, use SANs instead';

function surroundings() {
  let sessions = 0;
  const tls = new SessionTls(() => sessions);
  const output = new AcraOutput('acra-server', new MemoryLogger(), (record) => tls.observe(record));
  const stderr = new PassThrough();
  output.attach([stderr]);
  const say = async (...lines: readonly string[]) => {
    for (const each of lines) stderr.write(each);
    while (stderr.readableLength > 0 || stderr.writableLength > 0)
      await new Promise((resolve) => setImmediate(resolve));
  };
  const open = (count: number) => {
    sessions += count;
  };
  const endRound = (certificate = 'A') => tls.endRound(certificate);
  return { say, open, endRound };
}

const failing = (endRound: () => void) => throwsCode(endRound, SupervisorError, 'BOOT_DATABASE_UNTRUSTED');

t.test('tells sessions that fail again and again, with acra-server’s reason', async (t) => {
  const { say, open, endRound } = surroundings();
  open(2);
  await say(line(UNTRUSTED), line(UNTRUSTED));
  endRound();
  open(1);
  await say(line(UNTRUSTED));
  t.match(failing(endRound).found, /legacy Common Name/);
  t.match(failing(endRound).found, /legacy Common Name/, 'and goes on while nobody comes');
});

t.test('tells a handshake that finds no agreement from a certificate (BOOT_DATABASE_TLS_FAILED)', async () => {
  const { say, open, endRound } = surroundings();
  open(3);
  await say(...Array(3).fill(line('remote error: tls: handshake failure')));
  throwsCode(endRound, SupervisorError, 'BOOT_DATABASE_TLS_FAILED');
});

t.test('keeps a few failures among many sessions from counting', async (t) => {
  const { say, open, endRound } = surroundings();
  for (let round = 0; round < 20; round += 1) {
    open(10);
    await say(line('tls: bad record MAC'));
    endRound();
  }
  t.pass();
});

t.test('forgets failures when sessions get through, or the database shows another certificate', async (t) => {
  const { say, open, endRound } = surroundings();
  open(3);
  await say(...Array(3).fill(line(UNTRUSTED)));
  failing(endRound);
  open(1);
  failing(endRound);
  endRound();
  open(3);
  await say(...Array(3).fill(line(UNTRUSTED)));
  failing(endRound);
  endRound('B');
  t.pass();
});

t.test('keeps a session whose failure comes a round later from counting as one that got through', async (t) => {
  const { say, open, endRound } = surroundings();
  open(3);
  await say(...Array(3).fill(line(UNTRUSTED)));
  failing(endRound);
  open(1);
  failing(endRound);
  await say(line(UNTRUSTED));
  failing(endRound);
  t.pass();
});

t.test('takes neither clients’ handshakes nor connections that ended for the database’s TLS', async (t) => {
  const { say, open, endRound } = surroundings();
  open(9);
  await say(
    ...Array(3).fill(line('remote error: tls: unknown certificate authority', 'Error in tls handshake with client')),
    ...Array(3).fill(line('EOF')),
    ...Array(3).fill(line('read tcp 127.0.0.1:40000->127.0.0.1:5432: read: connection reset by peer')),
  );
  endRound();
  t.pass();
});
