/**
 * Whose connection it is, through the whole product: a load balancer says it to host-proxy, and host-proxy to the enclave, whose limits
 * by address hold for it. Then the certificate is revoked as an operator does it: list, image, deploy.
 */

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { request } from 'undici';
import { parse, stringify } from 'yaml';
import { connectThroughEnclave } from '../../cli/demo/clients.ts';
import { revocationNames } from '../../config/revocation-names.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { encodeProxyHeader } from '../../wire/proxy-protocol.ts';
import { IN_LINE, logLines, prepareStack, type ServingStack, servingStack, step } from '../support/stack.ts';

const BALANCER = '127.0.0.2';
const ONE = '198.51.100.7';
const OTHER = '198.51.100.8';
const hostSettings = {
  ingress: { listen: 'tcp://127.0.0.1:0', proxyProtocol: { from: [`${BALANCER}/32`] } },
};

/** A load balancer that says that its clients connect from there. */
async function balance(t: Test, { host, port }: TcpEndpoint, address: string): Promise<TcpEndpoint> {
  const server = createServer((client) => {
    const onward = connect({ host, port, localAddress: BALANCER });
    onward.write(encodeProxyHeader({ address, port: 40_000 }));
    client.pipe(onward).pipe(client);
    for (const socket of [client, onward]) socket.on('error', () => undefined).on('close', () => onward.destroy());
    onward.on('close', () => client.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const bound = server.address();
  return { kind: 'tcp', host: '127.0.0.1', port: typeof bound === 'object' && bound ? bound.port : 0 };
}

/** As told within the next seconds. */
async function untilMetric({ stack }: Pick<ServingStack, 'stack'>, line: RegExp): Promise<void> {
  const signal = step();
  for (;;) {
    const { body } = await request(`${stack.enclave.adminUrl}/metrics`, { signal });
    if (line.test(await body.text())) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

t.test('holds clients behind a load balancer to limits each for itself, and refuses one that is revoked', async (t) => {
  const stack = await prepareStack(t, {
    hostSettings,
    enclaveSettings: { ingress: { limits: { maxConnectionsPerAddress: 1 } }, health: { metricsIntervalMs: 200 } },
  });
  await stack.allowMeasuredEnclave();
  await stack.enclave.startHostProxy();
  const supervisor = stack.enclave.startSupervisor();
  const address = await stack.enclave.untilServing(step());
  const [one, other] = [await balance(t, address, ONE), await balance(t, address, OTHER)];
  const refusals = () => logLines(stack.enclave, 'supervisor').filter(({ event }) => event === 'front.refused');

  const client = await connectThroughEnclave(stack, one);
  t.match((await client.query('SELECT 1 AS here')).rows, [{ here: 1 }]);
  // It is told before TLS, where drivers have words of their own for it.
  await t.rejects(connectThroughEnclave(stack, one));
  const neighbour = await connectThroughEnclave(stack, other);
  const direct = await connectThroughEnclave(stack, address);
  t.match(refusals(), [{ sqlState: '53300', address: ONE, reason: /^too many connections from this address/ }]);
  await untilMetric({ stack }, /^acra_enclave_front_sessions 3$/m);
  await untilMetric({ stack }, /^acra_enclave_front_refused_total\{reason="address"\} 1$/m);
  await Promise.all([client, neighbour, direct].map((each) => each.end()));

  await supervisor.stop();
  await stack.enclave.until(({ state }) => state !== 'serving', step());
  const file = join(stack.enclaveFolder, 'enclave.yaml');
  const document = parse(readFileSync(file, 'utf8'));
  const { key } = revocationNames(new X509Certificate(stack.parts.certificates.client.certificatePem));
  document.ingress.revoked = [{ key }];
  writeFileSync(file, stringify(document));
  await stack.allowMeasuredEnclave();
  stack.enclave.startSupervisor();
  await stack.enclave.until(({ state }) => state === 'serving', step());
  const again = await balance(t, await stack.enclave.untilServing(step()), ONE);
  await t.rejects(connectThroughEnclave(stack, again), { code: '28000', message: 'the client certificate is revoked' });
  await untilMetric({ stack }, /^acra_enclave_front_refused_total\{reason="revoked"\} 1$/m);
  t.match(refusals().at(-1), { sqlState: '28000', address: ONE });
});

t.test(
  'serves clients of acra-server in line behind a load balancer, and none that leaves the header out',
  async (t) => {
    const { stack, address } = await servingStack(t, { ...IN_LINE, hostSettings });
    const client = await connectThroughEnclave(stack, await balance(t, address, ONE));
    t.match((await client.query('SELECT 1 AS here')).rows, [{ here: 1 }]);
    await client.end();
    const bare = connect({ host: address.host, port: address.port, localAddress: BALANCER });
    bare.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]));
    const [answer] = await once(bare, 'data');
    t.match(answer.toString('latin1'), /must begin with a header of the PROXY protocol/);
    const refused = () =>
      logLines(stack.enclave, 'host-proxy').filter(({ event }) => event === 'relay.refused-preface');
    await stack.enclave.until(() => refused().length > 0, step());
    t.match(refused(), [{ reason: 'no-proxy-header', address: BALANCER }]);
  },
);
