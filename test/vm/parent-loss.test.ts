/** An enclave whose parent loses its daemon, or whose vsock is cut. The machine is started apart from the daemon here. */
import t from 'tap';
import { connectThroughEnclave } from '../../cli/demo/clients.ts';
import { hostProxySchema } from '../../config/host-proxy.ts';
import { loadConfig } from '../../config/load.ts';
import { createDriver } from '../../host-proxy/machine/create-driver.ts';
import { systemClock } from '../../runtime/clock.ts';
import { silentLogger } from '../../runtime/log.ts';
import { EnclaveStack, step } from '../enclave/support/enclave-stack.ts';
import { processesNaming } from '../support/processes.ts';

t.test('an enclave whose parent’s daemon is killed', async (t) => {
  const stack = await EnclaveStack.prepare(t);
  const image = await stack.build();
  await stack.allow(image);
  await stack.writeConfig(image);
  const first = await stack.startDaemon('host-proxy');
  const console: string[] = [];
  const { driver } = createDriver(loadConfig(hostProxySchema, stack.configFile), {
    clock: systemClock,
    logger: silentLogger,
    console: { push: (line) => void console.push(line) },
  });
  const machine = await driver.start(step());
  t.teardown(() => machine.terminate());
  await stack.untilServing();

  await t.test('serves again through the next daemon, and no log record is lost', async (t) => {
    first.kill('SIGKILL');
    await first.exited;
    await stack.startDaemon('host-proxy');
    const client = await connectThroughEnclave(stack, await stack.untilServing());
    t.match(await client.query('SELECT 1 AS one'), { rows: [{ one: 1 }] });
    await client.end();
    const numbers = stack
      .records()
      .filter(({ source }) => source === 'enclave')
      .map(({ seq }) => Number(seq));
    const kept = new Set(numbers);
    const missing = Array.from({ length: Math.max(...numbers) }, (_, i) => i + 1).filter((seq) => !kept.has(seq));
    t.same(missing, []);
  });

  await t.test('is lost when its vsock is cut: the parent says so, and closes the public port', async (t) => {
    const [line = ''] = processesNaming(stack.guestPath).filter((each) => each.includes('vhost-device-vsock'));
    process.kill(Number(line.split(' ')[0]), 'SIGKILL');
    t.match(await machine.ended, { how: 'exited', detail: /vhost-device-vsock ended/ });
    const status = await stack.until(({ state, publicAddress }) => state === 'lost' && publicAddress === null);
    t.equal(status.ready, false);
  });
});
