/** Whose the TLS key is: what goes together, what must be left out, and what follows for the files of the folder. */
import t from 'tap';
import { stringify } from 'yaml';
import { enclaveSchema } from '../../config/enclave.ts';
import { readConfig } from '../../config/load.ts';
import { sealedTlsKeyOf, serverCaOf, tlsKeyOf } from '../../config/tls.ts';
import { measuredFiles } from '../../eif/rootfs/measured-files.ts';

const USER = { name: 'app', clients: ['CN=app'] };

const BASE = {
  version: 1,
  name: 'demo',
  database: { serverName: 'db.test', users: [USER] },
  kms: {
    region: 'eu-central-1',
    keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    encryptionContext: { purpose: 'test' },
  },
};
const ATTESTED = { key: 'attested', names: ['db.example.com', '10.0.0.1'] };

const read = (sections: object) =>
  readConfig(enclaveSchema, Buffer.from(stringify({ ...BASE, ...sections })), 'enclave.yaml');

function faultsOf(sections: object): string {
  try {
    read(sections);
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
}

t.test('keeps a sealed key where nothing is said, with its two files', async (t) => {
  const config = read({});
  t.same(tlsKeyOf(config), { key: 'sealed', certificate: 'tls/server.pem', sealedKey: 'tls/server.key.sealed' });
  t.equal(serverCaOf(config), undefined);
  const { required } = measuredFiles(config);
  t.ok(required.includes('tls/server.pem') && required.includes('tls/server.key.sealed'));
});

t.test('keeps certificate and key out of an image whose enclave makes its key', async (t) => {
  const config = read({ tls: ATTESTED });
  t.same(tlsKeyOf(config), { key: 'attested', names: ATTESTED.names, certificate: 'self-signed', days: 90 });
  t.equal(sealedTlsKeyOf(config), undefined);
  t.notOk(measuredFiles(config).required.some((file) => file.startsWith('tls/server')));
});

t.test('keeps the CA that may sign in the image', async (t) => {
  const config = read({ tls: { ...ATTESTED, certificate: 'operator-ca', ca: 'tls/own-ca.pem' } });
  t.match(tlsKeyOf(config), { certificate: 'operator-ca', ca: 'tls/own-ca.pem', certificateMs: 86_400_000 });
  t.ok(measuredFiles(config).required.includes('tls/own-ca.pem'));
});

const REFUSED: readonly [what: string, sections: object, path: string][] = [
  ['no names', { tls: { key: 'attested' } }, 'tls.names'],
  ['an empty list of names', { tls: { key: 'attested', names: [] } }, 'tls.names'],
  ['a name twice', { tls: { key: 'attested', names: ['a.test', 'a.test'] } }, 'tls.names'],
  ['what is no name', { tls: { key: 'attested', names: ['*.test'] } }, 'tls.names.0'],
  ['a certificate in the folder', { tls: ATTESTED, acra: { certificate: 'tls/server.pem' } }, 'acra.certificate'],
  ['a sealed key in the folder', { tls: ATTESTED, acra: { sealedKey: 'tls/k.sealed' } }, 'acra.sealedKey'],
  ['a CA that signs nothing', { tls: { ...ATTESTED, ca: 'tls/ca.pem' } }, 'tls.ca'],
  ['a wait for nobody', { tls: { ...ATTESTED, certificateMs: 1000 } }, 'tls.certificateMs'],
  ['days that the CA decides', { tls: { ...ATTESTED, certificate: 'operator-ca', days: 9 } }, 'tls.days'],
  ['a life without an end', { tls: { ...ATTESTED, days: 10_000 } }, 'tls.days'],
  ['names of a sealed key', { tls: { names: ['a.test'] } }, 'tls.names'],
  ['a certificate of a sealed key', { tls: { key: 'sealed', certificate: 'self-signed' } }, 'tls.certificate'],
  [
    'an own key where TLS ends in acra-server',
    { tls: ATTESTED, ingress: { tls: 'passthrough' }, database: { serverName: 'db.test' } },
    'tls.key',
  ],
];

for (const [what, sections, path] of REFUSED) {
  t.test(`rejects ${what}, by name (CONFIG_INVALID)`, async (t) => {
    t.match(faultsOf(sections), `- ${path}: `);
  });
}
