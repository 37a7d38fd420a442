/** Nothing but the declared routes answers: not from outside, not from inside. */
import t from 'tap';
import { HEARTBEAT_PORT, VSOCK_PORTS } from '../../wire/routes.ts';
import { EnclaveStack } from '../enclave/support/enclave-stack.ts';
import { reportsIn } from '../support/console-reports.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { dialGuest } from './support/guest-port.ts';

const LOW_PORTS = 4_096;
const RANDOM_PORTS = 2_000;
const AT_ONCE = 64;
const ANSWER_MS = 20_000;

interface Report {
  readonly answered: readonly string[];
  /** Address and outcome. */
  readonly tcp: readonly (readonly [string, string])[];
  readonly interfaces: readonly string[];
}

t.test('from outside, only the public port of a serving enclave and the one for requests answer', async (t) => {
  const stack = await EnclaveStack.prepare(t);
  await stack.serve();
  const random = seededRandom('isolation');
  const far = Array.from({ length: RANDOM_PORTS }, () => random.bytes(4).readUInt32BE(0));
  const near = Object.values(VSOCK_PORTS).flatMap((port) => [port - 1, port, port + 1]);
  const ports = [...new Set([...Array(LOW_PORTS).keys(), ...near, HEARTBEAT_PORT, 0xffff_ffff, ...far])];
  const answered: number[] = [];
  const waiting = ports.values();
  const scan = async () => {
    for (const port of waiting) {
      const socket = await dialGuest(stack.guestPath, port, AbortSignal.timeout(ANSWER_MS));
      if (socket) answered.push(port);
      socket?.destroy();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, scan));
  const { ingress, requests } = VSOCK_PORTS;
  t.same(new Set(answered), new Set([ingress, requests]), `of ${ports.length} ports`);
});

t.test('from inside, only the parent’s declared ports answer, and no network does', async (t) => {
  const stack = await EnclaveStack.prepare(t);
  const daemon = await stack.run(await stack.build({ init: 'test/vm/images/isolation.ts' }));
  await daemon.exited;
  const report = reportsIn<Report>(stack.console(), 'ISOLATION').at(-1);
  if (!report) throw new Error('the image reported nothing');
  const { control, database, kms, imds } = VSOCK_PORTS;
  // Behind vhost-device-vsock the parent also answers as CID 2, the host of virtio's specification.
  const declared = [control, database, kms, imds].flatMap((port) => [`2:${port}`, `3:${port}`]);
  t.same(report.answered, declared.sort());
  t.same(report.interfaces, ['lo']);
  for (const [address, outcome] of report.tcp) t.equal(outcome, 'ENETUNREACH', address);
});
