/** What keeps keys in the daemon, beside an enclave that asks for them: time goes on when the test says so. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { EnclaveView } from '../../../../host-proxy/enclave/view.ts';
import { AUDIT_FILE } from '../../../../host-proxy/keys/audit-log.ts';
import { EnclaveKeys } from '../../../../host-proxy/keys/enclave-keys.ts';
import { HostKeys } from '../../../../host-proxy/keys/host-keys.ts';
import type { KeyAction } from '../../../../keys/requests/key-request.ts';
import type { ParentRequest } from '../../../../wire/requests/parent-messages.ts';
import { KeyEnclave, type KeyEnclaveOptions, makeOperator } from '../../../keys/support/key-enclave.ts';
import { signedRequest, verifyingKeyOf } from '../../../keys/support/signed-request.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { MemoryLogger } from '../../../support/memory-logger.ts';
import { seededRandom } from '../../../support/seeded-random.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { CLIENT } from './made-sets.ts';

export const CEREMONY: KeyAction = { kind: 'ceremony', clients: [CLIENT], secrets: [] };
export const ROTATE: KeyAction = { kind: 'rotate-master' };
const never = () => new AbortController().signal;

export async function daemon(
  t: Test,
  options: Partial<KeyEnclaveOptions> = {},
  folder = join(temporaryFolder(t), 'keys'),
) {
  const operator = makeOperator('alice');
  const enclave = new KeyEnclave({ operators: [verifyingKeyOf(operator)], ...options });
  const clock = new FakeClock();
  const logger = new MemoryLogger();
  const view = new EnclaveView(clock, Number.MAX_SAFE_INTEGER);
  const client = { ask: (request: ParentRequest) => enclave.answer(request) };
  const random = seededRandom('back-off');
  const make = () =>
    new HostKeys({ folder, enclave: new EnclaveKeys(client), view, clock, logger, random, onChange: () => undefined });
  let keys = make();
  t.teardown(() => keys.stop());
  await keys.start(never());
  /** It has looked, and sleeps until it looks again. */
  const settled = async () => {
    do await new Promise(setImmediate);
    while (clock.sleeping === 0);
  };
  const look = async (times = 1) => {
    for (let count = 0; count < times; count += 1) {
      await settled();
      clock.advance(1_000);
      await settled();
    }
  };
  /** The enclave boots and waits for a set, or has booted. */
  const says = async (bootId: string, state: 'booting' | 'serving' = 'booting') => {
    view.connected = true;
    view.hello = { type: 'hello', protocol: 1, bootId, release: '0', simulated: true };
    const phase = state === 'booting' ? 'key-set' : 'serve';
    view.status = { state, phase, detail: null, errorCode: null, sinceMs: 0 };
    view.heard();
    await look();
  };
  const restart = async () => {
    await keys.stop();
    keys = make();
    await keys.start(never());
    await settled();
  };
  const count = (type: ParentRequest['type']) => enclave.asked.filter((each) => each === type).length;
  const audit = () =>
    readFileSync(join(folder, AUDIT_FILE), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).what as string);
  const change = (action: KeyAction) => keys.change(signedRequest(enclave, action, [operator]));
  return { enclave, operator, logger, folder, look, says, restart, count, audit, change, keys: () => keys };
}

/** Two generations of an enclave’s sets, on disk before the daemon starts; the enclave of the test trusts their chain. */
export async function withSets(t: Test, options: Partial<KeyEnclaveOptions> = {}) {
  const folder = join(temporaryFolder(t), 'keys');
  const made = await daemon(t, options, folder);
  await made.says('first');
  await made.change(CEREMONY);
  await made.change(ROTATE);
  return made;
}
