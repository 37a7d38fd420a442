import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { CredentialStore } from '../../emulator/credentials.ts';
import { rolePrincipal } from '../../emulator/principal.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const PRINCIPAL = rolePrincipal('enclave', 'i-0');
const HOUR_MS = 3_600_000;

t.test('issues credentials in the form of AWS', async (t) => {
  const clock = new FakeClock();
  const store = new CredentialStore({ folder: temporaryFolder(t), clock, random: seededRandom('a') });
  const credential = await store.issueTemporary(PRINCIPAL, HOUR_MS);
  t.match(credential.accessKeyId, /^ASIA[A-Z2-7]{16}$/);
  t.equal(credential.secretAccessKey.length, 40);
  t.equal(credential.expiresAtMs, clock.nowMs() + HOUR_MS);
  t.match((await store.administrator()).accessKeyId, /^AKIA[A-Z2-7]{16}$/);
});

t.test('a second store on the folder, as in another process, finds what the first one issues later', async (t) => {
  const folder = temporaryFolder(t);
  const clock = new FakeClock();
  const issuer = new CredentialStore({ folder, clock, random: seededRandom('a') });
  const verifier = new CredentialStore({ folder, clock, random: seededRandom('b') });
  const credential = await issuer.issueTemporary(PRINCIPAL, HOUR_MS);
  t.same(await verifier.find(credential.accessKeyId), credential);
  t.same(await verifier.administrator(), await issuer.administrator());
  t.equal(await verifier.find('ASIAAAAAAAAAAAAAAAAA'), undefined);
  t.equal(await verifier.find('../administrator'), undefined, 'an ID is never taken for a path');
});

t.test('keeps expired credentials for a day, so that they are told from unknown ones', async (t) => {
  const clock = new FakeClock();
  const store = new CredentialStore({ folder: temporaryFolder(t), clock, random: seededRandom('a') });
  const old = await store.issueTemporary(PRINCIPAL, HOUR_MS);
  clock.advance(24 * HOUR_MS);
  await store.issueTemporary(PRINCIPAL, HOUR_MS);
  t.not(await store.find(old.accessKeyId), undefined);
  t.equal((await store.newestTemporary(PRINCIPAL))?.issuedAtMs, clock.nowMs());
  clock.advance(2 * HOUR_MS);
  t.equal(await store.newestTemporary(PRINCIPAL), undefined, 'expired ones are not handed out');
  await store.issueTemporary(PRINCIPAL, HOUR_MS);
  t.equal(await store.find(old.accessKeyId), undefined);
});

t.test('files are for their owner alone, and no temporary one stays', async (t) => {
  const folder = temporaryFolder(t);
  const store = new CredentialStore({ folder, clock: new FakeClock(), random: seededRandom('a') });
  await store.administrator();
  await store.issueTemporary(PRINCIPAL, HOUR_MS);
  const names = readdirSync(folder);
  t.equal(names.length, 2);
  for (const name of names) t.equal(statSync(join(folder, name)).mode & 0o777, 0o600);
});
