/** `ingress.revoked` of enclave.yaml: how certificates are named there. */
import t from 'tap';
import { loginFaults } from '../../config/database-login.ts';
import { enclaveSchema } from '../../config/enclave.ts';
import { revocationNames } from '../../config/revocation-names.ts';
import { GOOD, makeCertificate } from '../keys/support/certificate-maker.ts';

const { ingress } = enclaveSchema.shape;
const HASH = 'ab'.repeat(32);

t.test('takes serial numbers and keys however their hex digits are written', async (t) => {
  t.same(ingress.parse({}).revoked, []);
  const written = [{ serial: '000a1b' }, { serial: '0' }, { key: HASH.toUpperCase() }];
  t.same(ingress.parse({ revoked: written }).revoked, [{ serial: 'A1B' }, { serial: '0' }, { key: HASH }]);
});

t.test('calls a certificate what the list calls it', async (t) => {
  const { certificate } = makeCertificate({ ...GOOD.client, serial: '0a1b' }, Date.now());
  const { serial, key } = revocationNames(certificate);
  t.same(ingress.parse({ revoked: [{ serial }, { key }] }).revoked, [{ serial: 'A1B' }, { key }]);
});

const FAULTS: readonly [what: string, entry: unknown, words: RegExp][] = [
  ['a number', { serial: 10 }, /hex digits in quotes; .*keys revocation/],
  ['colons', { serial: '0a:1b' }, /without colons/],
  ['a serial number that is too long', { serial: '1'.repeat(41) }, /1 to 40 digits/],
  ['a hash that is too short', { key: 'ab' }, /64 digits/],
  ['a hash with colons', { key: HASH.match(/../g)?.join(':') }, /without colons/],
  ['both at once', { key: HASH, serial: '1' }, /a serial: or a key:/],
  ['nothing', {}, /a serial: or a key:/],
  ['a bare text', HASH, /a serial: or a key:/],
];

for (const [what, entry, words] of FAULTS) {
  t.test(`rejects ${what}`, async (t) => {
    const { error } = ingress.safeParse({ revoked: [entry] });
    t.equal(error?.issues.length, 1);
    t.match(error?.issues[0]?.message, words);
    t.same(error?.issues[0]?.path.slice(0, 2), ['revoked', 0]);
  });
}

t.test('rejects a list where acra-server would serve those on it', async (t) => {
  const section = ingress.parse({ tls: 'passthrough', revoked: [{ serial: '1' }] });
  const faults = loginFaults({ ingress: section, database: { users: [] }, clientIdFrom: 'distinguished_name' });
  t.match(faults, [{ path: ['ingress', 'revoked'], message: /passthrough: acra-server knows no such list/ }]);
});
