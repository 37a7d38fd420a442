/** Ways into an application in a simulated enclave, from the parent's port to its program and back. */
import { once } from 'node:events';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import t from 'tap';
import { parseEndpoint } from '../../../wire/endpoint.ts';
import { encodeProxyHeader, parseProxyHeader } from '../../../wire/proxy-protocol.ts';
import { appRouteLabel } from '../../../wire/routes.ts';
import { GOOD, makeCertificate } from '../../keys/support/certificate-maker.ts';
import { dialFrom, echoes, readAll, readBytes } from '../../relay/support/sockets.ts';
import { client } from '../../sessions/ports/support/http-client.ts';
import { appPair, freePort, script } from './support/app-pair.ts';

const ECHO = `require('node:net').createServer((socket) => socket.on('error', () => {}).pipe(socket))`;
const TELL = `require('node:http').createServer((request, response) => response.end(JSON.stringify(request.headers)))`;
const program = (server: string, port: number) => ({
  command: script(`${server}.listen(${port}, '127.0.0.1')`),
  probe: { tcp: `tcp://127.0.0.1:${port}` },
});
const anywhere = { listen: 'tcp://127.0.0.1:0' };

t.test(
  'leads clients to programs by every kind of port, and says whose connection it is where that is wanted',
  async (t) => {
    const [bytes, web] = [await freePort(), await freePort()];
    const [echo, tell] = [`tcp://127.0.0.1:${bytes}`, `tcp://127.0.0.1:${web}`];
    const authority = makeCertificate(GOOD.authority, Date.now());
    const user = makeCertificate(GOOD.client, Date.now(), authority);
    const ingress = {
      passed: { to: echo, vsockPort: 1001 },
      told: { to: echo, vsockPort: 1002, proxyProtocol: true },
      ended: { to: echo, vsockPort: 1003, tls: 'ended' },
      web: { to: tell, vsockPort: 1004, tls: 'ended', protocol: 'http', clientCa: 'ca.pem' },
    };
    const host = {
      ingress: {
        passed: { ...anywhere, vsockPort: 1001 },
        told: { ...anywhere, vsockPort: 1002, proxyProtocol: { from: ['127.0.0.9/32'] } },
        ended: { ...anywhere, vsockPort: 1003 },
        web: { ...anywhere, vsockPort: 1004 },
      },
    };
    const programs = { echo: program(ECHO, bytes), tell: program(TELL, web) };
    const files = { 'ca.pem': authority.pem };
    const pair = appPair(t, { enclave: { programs, ingress, tls: { names: ['records.test'] } }, host, files });
    await pair.serve();
    /** host-proxy's log is written a moment after its port is open; its own records have their fields beside `event`. */
    const dial = async (name: string, from = '127.0.0.2') => {
      const isOpened = (record: { readonly route?: unknown; readonly event: string }) =>
        record.event === 'ingress.opened' && record.route === appRouteLabel('ingress', name);
      const record: object = await pair.untilRecord(isOpened);
      return dialFrom(t, parseEndpoint(String(Reflect.get(record, 'address'))), from);
    };
    const secure = async (name: string, options: ConnectionOptions = {}): Promise<TLSSocket> => {
      const secured = connectTls({
        socket: await dial(name),
        rejectUnauthorized: false,
        servername: 'records.test',
        ...options,
      });
      secured.on('error', () => undefined);
      await once(secured, 'secureConnect');
      return secured;
    };

    const passed = await dial('passed');
    t.ok(await echoes(passed));
    const told = await dial('told');
    const { localPort } = told;
    told.end('x');
    t.match(parseProxyHeader(await readAll(told)), { source: { address: '127.0.0.2', port: localPort } });
    const balanced = await dial('told', '127.0.0.9');
    const header = encodeProxyHeader({ address: '198.51.100.7', port: 7 });
    balanced.write(header);
    t.same(await readBytes(balanced, header.length), header);

    const ended = await secure('ended');
    t.equal(ended.getPeerX509Certificate()?.subjectAltName, 'DNS:records.test');
    t.ok(await echoes(ended));
    const { body } = await client(await secure('web', { cert: user.pem, key: user.keyPem }))();
    t.match(JSON.parse(body), {
      'x-forwarded-for': '127.0.0.2',
      'x-client-certificate-subject': 'CN=application',
    });
  },
);
