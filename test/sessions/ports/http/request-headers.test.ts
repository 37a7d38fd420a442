/** What a program is told of a request: the client's fields, and of who asks and by which way only what we say. */
import type { IncomingMessage } from 'node:http';
import t from 'tap';
import { fieldsOf } from '../../../../encoding/http-fields.ts';
import type { PortClient } from '../../../../sessions/ports/client.ts';
import { requestHeaders, withoutHops } from '../../../../sessions/ports/http/request-headers.ts';
import { GOOD, makeCertificate } from '../../../keys/support/certificate-maker.ts';
import { client } from '../support/http-client.ts';
import { HERE, PortsRig } from '../support/ports-rig.ts';
import { httpProgram } from '../support/programs.ts';

const NOBODY: PortClient = { source: undefined, certificate: undefined };

function told(raw: readonly string[], who: PortClient = NOBODY): Readonly<Record<string, string>> {
  const rawHeaders = ['Host', 'app.test', ...raw];
  return Object.fromEntries(requestHeaders({ rawHeaders, headers: {} } as unknown as IncomingMessage, who));
}

t.test('tells address, scheme, host and port of the client’s side', async (t) => {
  const v4 = { ...NOBODY, source: { address: '192.0.2.7', port: 9 } };
  t.match(told([], v4), {
    Host: 'app.test',
    'X-Forwarded-For': '192.0.2.7',
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-Host': 'app.test',
    'X-Forwarded-Port': '443',
    Forwarded: 'for="192.0.2.7";host="app.test";proto=https',
  });
  const v6 = { ...NOBODY, source: { address: '2001:db8::7', port: 9 } };
  t.match(told([], v6), { 'X-Forwarded-For': '2001:db8::7', Forwarded: /^for="\[2001:db8::7\]";/ });
  t.match(told([]), { 'X-Forwarded-For': undefined, Forwarded: /^for="unknown";/ });
  const request = { rawHeaders: ['Host', '[::1]:8443'], headers: {} } as unknown as IncomingMessage;
  t.match(Object.fromEntries(requestHeaders(request, NOBODY)), { 'X-Forwarded-Port': '8443' });
});

for (const name of [
  'X-Forwarded-For',
  'x_forwarded_for',
  'X-Forwarded.For',
  'X-Forwarded-Server',
  'X-FORWARDED-PROTO',
  'X_Forwarded_Prefix',
  'Forwarded',
  'X-Real-IP',
  'x_real_ip',
  'X-Client-Certificate-Subject',
  'X_Client_Certificate_Sha256',
  'X-Client-Certificate-Other',
  'Proxy',
]) {
  t.test(`drops ${name} of a client`, async (t) => {
    t.notMatch(JSON.stringify(told([name, 'forged'])), /forged/);
  });
}

t.test('keeps what is for the program, in its order and as often as it stands there', async (t) => {
  const raw = ['Cookie', 'a=1', 'X-Own', '1', 'Authorization', 'Bearer x', 'X-Own', '2', 'X-Forwarded', 'kept'];
  t.same(withoutHops(raw), fieldsOf(raw));
});

t.test('drops what is for one hop, and what a client calls that, but nothing that frames a message', async (t) => {
  const raw = [
    'Connection',
    'X-Own, content-length',
    'X-Own',
    '1',
    'Content-Length',
    '4',
    'Keep-Alive',
    '5',
    'TE',
    'x',
  ];
  t.same(withoutHops([...raw, 'Upgrade', 'h2c', 'Trailer', 'y', 'Proxy-Connection', 'z']), [['Content-Length', '4']]);
});

t.test('tells whose certificate it is, so that no name breaks out of its field', async (t) => {
  const subject = 'CN=a\r\nX-Forwarded-For: b,O=Größe';
  const certificate = { subject, sha256: 'ab', endsMs: 0 };
  t.match(told([], { ...NOBODY, certificate }), {
    'X-Client-Certificate-Subject': 'CN=a\\0D\\0AX-Forwarded-For: b,O=Gr\\C3\\B6\\C3\\9Fe',
    'X-Client-Certificate-Sha256': 'ab',
  });
});

t.test('reaches a real program so, with the certificate of a real client', async (t) => {
  const seen: IncomingMessage['headers'][] = [];
  const { port } = await httpProgram(t, (request, response) => {
    seen.push(request.headers);
    response.end();
  });
  const rig = await PortsRig.start(t, { programPort: port, protocol: 'http', asksCertificate: true });
  const made = makeCertificate({ ...GOOD.client, subject: 'Ämter, all' }, Date.now(), rig.authority);
  const ask = client(await rig.secure({ cert: made.pem, key: made.keyPem }));
  await ask({
    headers: { 'X-Forwarded-For': '203.0.113.1', 'X-Client-Certificate-Subject': 'CN=root', Cookie: 'a=b' },
  });
  t.match(seen[0], {
    cookie: 'a=b',
    'x-forwarded-for': HERE,
    'x-client-certificate-subject': 'CN=\\C3\\84mter\\, all',
    'x-client-certificate-sha256': made.certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  });
});
