/** A certificate that the enclave signs itself is renewed for the same key before it ends, and whoever shows it hears of that. */
import { X509Certificate } from 'node:crypto';
import t from 'tap';
import { publicKeySha256 } from '../../../encoding/public-key-hash.ts';
import { makeTlsKey } from '../../../keys/tls/attested-key.ts';
import { renewSelfSigned, showSelfSigned } from '../../../supervisor/tls/self-signed.ts';
import { ServerCertificate } from '../../../supervisor/tls/server-certificate.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The clock by hours, each of which is slept through. */
async function pass(clock: FakeClock, hours: number): Promise<void> {
  for (let hour = 0; hour < hours; hour += 1) {
    await clock.untilSleeping();
    clock.advance(HOUR_MS);
  }
  await clock.untilSleeping();
}

t.test('is renewed when a tenth of its life is left, for the same key', async (t) => {
  const clock = new FakeClock();
  const shown = new ServerCertificate(new MemoryLogger());
  const key = makeTlsKey();
  const options = { key: () => key, name: 'demo', names: ['db.test'], days: 10 };
  const deps = { clock, random: seededRandom('self-signed') };
  showSelfSigned(options, shown, deps);
  const first = new X509Certificate(shown.pem);
  const heard: string[] = [];
  const stopListening = shown.subscribe(() => heard.push(shown.pem));
  const ending = new AbortController();
  const renewing = renewSelfSigned(options, shown, deps, ending.signal);
  await pass(clock, 9 * 24 - 1);
  t.same(heard, []);
  await pass(clock, 1);
  t.equal(heard.length, 1);
  const renewed = new X509Certificate(shown.pem);
  t.equal(publicKeySha256(renewed), publicKeySha256(first));
  t.not(renewed.serialNumber, first.serialNumber);
  t.equal(renewed.validToDate.getTime(), Math.floor(clock.nowMs() / 1000) * 1000 + 10 * DAY_MS);
  await pass(clock, 1);
  t.equal(heard.length, 1, 'once');
  stopListening();
  clock.stepWall(30 * DAY_MS);
  await pass(clock, 1);
  t.ok(new X509Certificate(shown.pem).validToDate.getTime() > clock.nowMs(), 'also when the clock was set');
  t.equal(heard.length, 1, 'nobody listens any more');
  ending.abort(new RangeError('over'));
  await t.rejects(renewing, { message: 'over' });
  t.equal(clock.sleeping, 0);
});
