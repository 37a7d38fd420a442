/** Nothing listens that the route tables do not name, and what listens is where the configuration says. */
import { join } from 'node:path';
import t from 'tap';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { parseEndpoint } from '../../wire/endpoint.ts';
import { listenersOf } from '../support/listeners.ts';
import { childPid, logLines, servingStack } from '../support/stack.ts';

t.test('keeps every listener inside the route tables', async (t) => {
  const { stack, address } = await servingStack(t, {
    enclaveSettings: { ports: { control: 10, database: 11, kms: 12, imds: 13, ingress: 14, requests: 15 } },
    hostSettings: { ports: { control: 10, database: 11, kms: 12, imds: 13, ingress: 14, requests: 15 } },
  });
  const { enclave, options } = stack;
  const inRun = (name: string) => `unix:${join(enclave.runtimeFolder, name)}`;
  const database = logLines(enclave, 'supervisor').find(
    ({ event, route }) => event === 'relay.listening' && route === 'database',
  );
  const { port } = parseEndpoint(String(database?.['listen'])) as TcpEndpoint;
  const sorted = (list: string[]) => list.sort();

  t.same(
    listenersOf(enclave.supervisor?.pid ?? 0),
    sorted([
      `tcp:${port}`,
      ...['control', 'requests', 'kms', 'imds'].map((route) => inRun(`${route}.sock`)),
      `unix:${enclave.vsockPath}`,
    ]),
    'the supervisor',
  );
  const ofChild = (kind: 'acra' | 'guard' | 'front') => listenersOf(childPid(enclave, kind));
  t.match(ofChild('acra'), [/\/acra-[0-9a-f]{12}\/acra\.sock$/], 'acra-server: no metrics, no profiling, no API');
  t.match(
    ofChild('guard'),
    [/^tcp:\d+$/, /\/guard-[0-9a-f]{12}\/guard\.sock$/],
    'the guard: for the front, for acra-server',
  );
  t.same(ofChild('front'), [inRun('front/front.sock')]);
  const admin = Number(new URL(enclave.adminUrl).port);
  t.same(
    listenersOf(enclave.hostProxy?.pid ?? 0),
    sorted([
      `tcp:${address.port}`,
      `tcp:${admin}`,
      `unix:${join(options.root, 'host', 'command.sock')}`,
      `unix:${join(options.root, 'host', 'control.sock')}`,
      `unix:${join(options.root, 'host', 'requests.sock')}`,
      ...[10, 11, 12, 13].map((vsockPort) => `unix:${enclave.vsockPath}_${vsockPort}`),
    ]),
    'host-proxy',
  );
});
