import t from 'tap';
import { knownError } from '../../../acra/server/log-errors.ts';

const WHOLE = [
  "peer certificate doesn't have DigitalSignature key usage or ClientAuth ExtKeyUsage values",
  'used CA certificate for authentication',
  "can't add CA certificate",
  "can't decrypt AcraBlock: decryption error",
  "can't read private key for matched client_id to encrypt with AcraBlock: keys not found",
  'inconsistent placeholder usage',
  'EOF',
  'unexpected EOF',
  'failed to unprotect data',
  'syntax error at position 12',
  'tls: first record does not look like a TLS handshake',
  'tls: client offered only unsupported versions: [302 301]',
  "tls: client didn't provide a certificate",
  'remote error: tls: bad certificate',
  'remote error: tls: unknown certificate authority',
  'local error: tls: bad record MAC',
  'tls: received unexpected handshake message of type *tls.clientHelloMsg when waiting for *tls.finishedMsg',
  'tls: failed to verify certificate: x509: certificate signed by unknown authority',
  'tls: failed to verify client certificate: x509: certificate specifies an incompatible key usage',
  'x509: certificate signed by unknown authority',
  'x509: certificate is valid for db.internal, not other.internal',
  'x509: certificate has expired or is not yet valid: current time 2026-11-29T00:00:00Z is after 2025-01-01T00:00:00Z',
  'x509: certificate relies on legacy Common Name field, use SANs instead',
  "x509: cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs",
  'dial tcp 127.0.0.1:5432: connect: connection refused',
  'dial tcp 127.0.0.1:5432: i/o timeout',
  'dial tcp: lookup db.internal on 127.0.0.53:53: no such host',
  'read tcp 127.0.0.1:40112->127.0.0.1:5432: read: connection reset by peer',
  'read tcp 127.0.0.1:9393->127.0.0.1:40112: i/o timeout',
  'read tcp 127.0.0.1:9393->127.0.0.1:40112: use of closed network connection',
  'write unix /run/acra/acra.sock->@: write: broken pipe',
  'open /etc/acra/keys: permission denied',
  'runtime error: index out of range [3] with length 2',
];
for (const text of WHOLE) {
  t.test(`passes on ${text}`, async (t) => t.same(knownError(text), { text, isWhole: true }));
}

const SECRET = '4111 1111 1111 1111';
const BEGINNINGS: [string, string][] = [
  [`strconv.Atoi: parsing "${SECRET}": invalid syntax`, 'strconv.Atoi: parsing …'],
  [`strconv.ParseInt: parsing "${SECRET}": value out of range`, 'strconv.ParseInt: parsing …'],
  ["encoding/hex: invalid byte: U+007A 'z'", 'encoding/hex: invalid byte: …'],
  [
    `tls: client requested unsupported application protocols (["${SECRET}"])`,
    'tls: client requested unsupported application protocols ([ …',
  ],
  [
    `tls: failed to verify certificate: x509: certificate signed by unknown authority (possibly because of "${SECRET}")`,
    'tls: failed to verify certificate: x509: certificate signed by unknown authority (possibly because of …',
  ],
  [`can't decrypt AcraBlock: ${SECRET}`, "can't decrypt AcraBlock: …"],
  [`yaml: line 3: ${SECRET}`, 'yaml: line 3: …'],
  [`invalid default value: ${SECRET}`, 'invalid default value: …'],
];
for (const [error, text] of BEGINNINGS) {
  t.test(`passes on no more than the beginning of ${error}`, async (t) =>
    t.same(knownError(error), { text, isWhole: false }),
  );
}

for (const text of [
  SECRET,
  `syntax error at position 12 near '${SECRET}'`,
  `missing bind var ${SECRET}`,
  `EOF ${SECRET}`,
  `decryption error\n${SECRET}`,
  `read tcp 127.0.0.1:1: ${SECRET}`,
  '',
]) {
  t.test(`withholds ${JSON.stringify(text)}`, async (t) => t.equal(knownError(text), undefined));
}
