/** Which of two TLS keys new sessions get. */
import t from 'tap';
import type { TlsKeyPair } from '../../../keys/tls/attested-key.ts';
import { RotatableTlsKey } from '../../../supervisor/tls/rotatable-key.ts';
import { MemoryLogger } from '../../support/memory-logger.ts';

const WIPED = { code: 'RUNTIME_SECRET_WIPED' };
const use = ({ privateKey }: TlsKeyPair) => privateKey.use((pem) => pem.length);

t.test('takes over at once where it signs for itself, and zeroes the old key when the new one is shown', async (t) => {
  const seen: TlsKeyPair[] = [];
  const logger = new MemoryLogger();
  const key: RotatableTlsKey = new RotatableTlsKey(logger, (next) => {
    t.equal(key.shown, next, 'whoever is told of the certificate finds its key');
    t.ok(use(before), 'and what serves has the old one until then');
    seen.push(next);
  });
  const before = key.shown;
  const { kind, keySha256 } = key.rotate();
  t.equal(kind, 'shown');
  t.same(seen, [key.shown]);
  t.same(keySha256, key.shown.sha256);
  t.notSame(keySha256, before.sha256);
  t.throws(() => use(before), WIPED);
  t.match(logger.records, [{ event: 'tls.key-rotated', fields: { tlsKeySha256: keySha256.toString('hex') } }]);
});

t.test('keeps the old key where the new one cannot be shown', async (t) => {
  const key = new RotatableTlsKey(new MemoryLogger(), () => {
    throw new RangeError('no certificate');
  });
  const before = key.shown;
  t.throws(() => key.rotate(), new RangeError('no certificate'));
  t.equal(key.shown, before);
  t.ok(use(before));
});

t.test('forgets a key that awaits its certificate when it is to be another', async (t) => {
  const key = new RotatableTlsKey(new MemoryLogger());
  key.rotate();
  const [first, shown] = key.candidates;
  t.equal(shown, key.shown);
  key.rotate();
  t.equal(key.candidates.length, 2);
  t.throws(() => use(first), WIPED);
});

t.test('zeroes both at the end', async (t) => {
  const key = new RotatableTlsKey(new MemoryLogger());
  key.rotate();
  const both = key.candidates;
  key[Symbol.dispose]();
  for (const each of both) t.throws(() => use(each), WIPED);
});
