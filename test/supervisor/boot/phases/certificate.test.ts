/** The boot goes on when the TLS key has a certificate: at once, or when people have brought one. */
import t from 'tap';
import { BootTable, boot } from '../../../../supervisor/boot/phase.ts';
import { certificatePhase } from '../../../../supervisor/boot/phases/certificate.ts';
import type { Configured } from '../../../../supervisor/boot/phases/configuration.ts';
import type { TlsKeyKnown } from '../../../../supervisor/boot/phases/tls-key.ts';
import { SupervisorError } from '../../../../supervisor/errors.ts';
import { ServerCertificate } from '../../../../supervisor/tls/server-certificate.ts';
import { CERTIFICATE_PHASE } from '../../../../wire/control/messages.ts';
import { GOOD, makeCertificate } from '../../../keys/support/certificate-maker.ts';
import { rejectsCode } from '../../../support/coded-error.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { MemoryLogger } from '../../../support/memory-logger.ts';
import { phaseContext } from '../../support/phase-context.ts';

const table = BootTable.empty<Pick<Configured, 'config'> & TlsKeyKnown>().phase(certificatePhase);
const PEM = makeCertificate(GOOD.server, Date.UTC(2026, 0, 1)).pem;
const tls = { key: 'attested', certificate: 'operator-ca', names: ['db.test'], certificateMs: 60_000 };

function start() {
  const serverCertificate = new ServerCertificate(new MemoryLogger());
  const context = phaseContext('certificate', new FakeClock());
  const have = { config: { acra: {}, tls }, serverCertificate, tlsKeySha256: () => Buffer.alloc(32) };
  const booted = boot(table, have, context, new AbortController().signal);
  booted.catch(() => undefined);
  return { booted, serverCertificate, ...context };
}

t.test('says what it waits for, in the phase that host-proxy knows, and goes on when it has come', async (t) => {
  const { booted, serverCertificate, status, logger } = start();
  t.match(status.current, {
    state: 'booting',
    phase: CERTIFICATE_PHASE,
    detail: /^waiting for a certificate for the TLS key of this boot: /,
    errorCode: 'BOOT_CERTIFICATE_MISSING',
  });
  t.match(logger.events(), ['tls.certificate-awaited']);
  serverCertificate.show(PEM);
  await booted;
});

t.test('does not wait where one has come before', async () => {
  const serverCertificate = ServerCertificate.ofImage(new MemoryLogger(), PEM);
  const have = { config: { acra: {}, tls }, serverCertificate, tlsKeySha256: () => Buffer.alloc(32) };
  await boot(table, have, phaseContext('certificate', new FakeClock()), new AbortController().signal);
});

t.test('ends when nobody brings one in its time, and says so (BOOT_DEADLINE)', async (t) => {
  const { booted, clock } = start();
  clock.advance(60_000);
  const error = await rejectsCode(() => booted, SupervisorError, 'BOOT_DEADLINE');
  t.match(error.found, 'waiting for a certificate');
});
