/** What breaks in an enclave or on its parent, and how it recovers, or says that it cannot. */

import t from 'tap';
import { connectThroughEnclave } from '../../cli/demo/clients.ts';
import { untilAborted } from '../../runtime/abort.ts';
import { systemClock } from '../../runtime/clock.ts';
import { EnclaveStack, step } from '../enclave/support/enclave-stack.ts';
import { askGuest } from './support/guest-port.ts';
import type { SabotageAnswer, SabotageRequest } from './support/sabotage.ts';
import { PANIC, SABOTAGE_PORT } from './support/sabotage.ts';

const FREEZE_MS = 30_000;
const SABOTEUR = { init: 'test/vm/images/saboteur.ts' };
const ACRA_SERVER_UID = '1000';

async function sabotage(stack: EnclaveStack, request: SabotageRequest): Promise<SabotageAnswer> {
  return JSON.parse(await askGuest(stack.guestPath, SABOTAGE_PORT, JSON.stringify(request), step())) as SabotageAnswer;
}

t.test('an enclave in trouble, with acra-server in line', async (t) => {
  const stack = await EnclaveStack.prepare(t, {
    ingress: { tls: 'passthrough' },
    health: { probeIntervalMs: 2_000, probeTimeoutMs: 3_000 },
  });
  const { address } = await stack.serve(SABOTEUR);
  const query = async () => {
    const client = await connectThroughEnclave(stack, address);
    await client.query('SELECT 1');
    await client.end();
  };
  const serving = () => stack.until(({ ready }) => ready);
  /** Numbers of processes only grow in a machine so young. */
  const servingWithout = async (pid: unknown) => {
    await stack.untilRecord(({ event, fields }) => event === 'child.ready' && Number(fields?.['pid']) > Number(pid));
    await serving();
  };

  await t.test('keeps acra-server apart: own user, no new privileges, bounded, nothing to dump', async (t) => {
    const { acra, memoryMax, pidsMax } = await sabotage(stack, { do: 'stats' });
    const { Uid, Gid, Groups, NoNewPrivs, CapEff, cgroup, limits } = acra as Record<string, string>;
    t.match(Uid, new RegExp(`^${ACRA_SERVER_UID}\\t${ACRA_SERVER_UID}\\t`));
    t.match(Gid, new RegExp(`^${ACRA_SERVER_UID}\\t${ACRA_SERVER_UID}\\t`));
    t.equal(Groups ?? '', '');
    t.equal(NoNewPrivs, '1');
    t.match(CapEff, /^0+$/);
    t.equal(cgroup, '0::/acra-server');
    t.equal(memoryMax, String(768 * 1024 * 1024));
    t.equal(pidsMax, '512');
    t.match(limits, /Max core file size +0 +0/);
  });

  await t.test(
    'prepares the machine: what was measured stays, nobody traces, a host name, loopback alone',
    async (t) => {
      const { mounts, ptraceScope, hostName, interfaces } = await sabotage(stack, { do: 'stats' });
      t.match(String(mounts), /^rootfs \/ rootfs ro/m, 'what was measured cannot be changed');
      t.equal(ptraceScope, '3');
      t.equal(hostName, 'acra-enclave');
      t.equal(interfaces, 'lo');
    },
  );

  await t.test('recovers when acra-server is killed, ends its sessions, and leaves no zombie', async (t) => {
    const bystander = await connectThroughEnclave(stack, address);
    const ended = new Promise<void>((resolve) => bystander.once('end', () => resolve()));
    const { pid } = await sabotage(stack, { do: 'signal-acra', signal: 'SIGKILL' });
    t.type(pid, 'number');
    await stack.untilRecord(({ event, fields }) => event === 'child.exited' && fields?.['signal'] === 'SIGKILL');
    await untilAborted(ended, step());
    await servingWithout(pid);
    await query();
    const after = await sabotage(stack, { do: 'stats' });
    t.not((after['acra'] as Record<string, unknown>)['pid'], pid);
    t.equal(after['zombies'], 0);
  });

  await t.test('ends an acra-server that is frozen, and serves with a new one', async (t) => {
    const { pid } = await sabotage(stack, { do: 'signal-acra', signal: 'SIGSTOP' });
    await stack.untilRecord(({ fields }) => fields?.['code'] === 'ACRA_EXIT_UNRESPONSIVE');
    await servingWithout(pid);
    await query();
    const after = await sabotage(stack, { do: 'stats' });
    t.not((after['acra'] as Record<string, unknown>)['pid'], pid);
  });

  await t.test('keeps its sessions when the parent’s daemon is frozen for 30 s', async (t) => {
    const client = await connectThroughEnclave(stack, address);
    stack.daemon?.kill('SIGSTOP');
    await systemClock.sleep(FREEZE_MS, step());
    stack.daemon?.kill('SIGCONT');
    t.match(await client.query('SELECT 2 AS two'), { rows: [{ two: 2 }] });
    await client.end();
    await serving();
  });

  await t.test('powers off on a panic, with the reason on the console and in the parent’s log', async (t) => {
    await sabotage(stack, { do: 'panic' });
    const exit = await stack.daemon?.exited;
    t.not(exit?.code, 0);
    t.match(stack.console(), new RegExp(`machine\\.ending.*panic: ${PANIC}`));
    t.ok(
      stack
        .records()
        .some(
          ({ source, event, fields }) =>
            source === 'enclave' && event === 'supervisor.panic' && fields?.['reason'] === PANIC,
        ),
    );
  });
});

t.test('a boot phase that hangs is ended by its deadline and named (BOOT_DEADLINE)', async (t) => {
  const stack = await EnclaveStack.prepare(t);
  const daemon = await stack.run(await stack.build({ init: 'test/vm/images/hanging.ts' }));
  const { enclave } = await stack.until((status) => status.enclave?.state === 'failed');
  t.match(enclave, { phase: 'entropy', errorCode: 'BOOT_DEADLINE' });
  t.not((await daemon.exited).code, 0);
  t.match(stack.console(), /machine\.ending.*boot phase entropy took too long/);
});
