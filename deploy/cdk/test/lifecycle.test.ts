/** The script by which an instance speaks with Auto Scaling: it runs, with metadata by HTTP, and programs of AWS's and systemd's names. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { APP } from './support/synthesized.ts';

const SCRIPT = join(APP, 'instance/lifecycle.sh');
const TOKEN = 'token-of-imdsv2';

interface Told {
  state: string | undefined;
  isReady: boolean;
  readonly asked: string[];
}

/** IMDSv2, where without a token nothing is told, and the instance's own health listener. */
async function listening(t: Test, told: Told): Promise<number> {
  const server = createServer((request, response) => {
    const { method, url = '', headers } = request;
    told.asked.push(url);
    if (url === '/readyz') return response.writeHead(told.isReady ? 200 : 503).end();
    if (method === 'PUT' && url === '/latest/api/token') return response.end(TOKEN);
    if (headers['x-aws-ec2-metadata-token'] !== TOKEN) return response.writeHead(401).end();
    if (url === '/latest/meta-data/local-ipv4') return response.end('127.0.0.1');
    if (url === '/latest/meta-data/instance-id') return response.end('i-0123456789abcdef0');
    const known = url === '/latest/meta-data/autoscaling/target-lifecycle-state' && told.state !== undefined;
    return known ? response.end(told.state) : response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

interface Instance {
  readonly told: Told;
  readonly run: (word: string) => ChildProcess;
  /** What was called, in order. */
  readonly calls: () => readonly string[];
}

/** @param refusal what AWS says in the place of doing it */
async function instance(t: Test, state: string | undefined, refusal = ''): Promise<Instance> {
  const folder = temporaryFolder(t);
  const told: Told = { state, isReady: true, asked: [] };
  const port = await listening(t, told);
  const log = join(folder, 'calls');
  const program = (name: string, body: string) => {
    writeFileSync(join(folder, name), `#!/bin/sh\necho "${name} $*" >>"${log}"\n${body}\n`);
    chmodSync(join(folder, name), 0o755);
  };
  program('aws', refusal === '' ? '' : `echo "${refusal}" >&2; exit 255`);
  program('systemctl', '');
  const fleetEnv = join(folder, 'fleet.env');
  writeFileSync(
    fleetEnv,
    `REGION=eu-central-1\nGROUP=acra-fleet\nLAUNCH_HOOK=enclave-serves\nTERMINATE_HOOK=sessions-end\nHEALTH_PORT=${port}\n`,
  );
  const env = {
    PATH: `${folder}:${process.env['PATH']}`,
    FLEET_ENV: fleetEnv,
    METADATA: `http://127.0.0.1:${port}/latest`,
    POLL_SECONDS: '0.05',
  };
  const run = (word: string) => {
    const child = spawn('bash', [SCRIPT, word], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    t.teardown(() => child.kill('SIGKILL'));
    return child;
  };
  const calls = () => (existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : []);
  return { told, run, calls };
}

const ended = async (child: ChildProcess) => (await once(child, 'close'))[0] as number;
const completes = (hook: string) =>
  `aws autoscaling complete-lifecycle-action --region eu-central-1 --auto-scaling-group-name acra-fleet --lifecycle-hook-name ${hook} --lifecycle-action-result CONTINUE --instance-id i-0123456789abcdef0`;

t.test('lets an instance in whose enclave serves', async (t) => {
  const { run, calls } = await instance(t, 'InService');
  t.equal(await ended(run('launched')), 0);
  t.same(calls(), [completes('enclave-serves')]);
});

t.test('keeps an instance out whose enclave does not serve', async (t) => {
  const { told, run, calls } = await instance(t, 'InService');
  told.isReady = false;
  t.not(await ended(run('launched')), 0);
  t.same(calls(), []);
});

t.test('is content on an instance that was let in before it was started anew', async (t) => {
  const { run } = await instance(
    t,
    'InService',
    'ValidationError: No active Lifecycle Action found with instance ID i-0',
  );
  t.equal(await ended(run('launched')), 0);
});

t.test('fails, to be tried again, while it may not say so or Auto Scaling says nothing', async (t) => {
  const refused = await instance(t, 'InService', 'AccessDenied: not authorized');
  t.not(await ended(refused.run('launched')), 0);
  const unknown = await instance(t, undefined);
  t.not(await ended(unknown.run('launched')), 0);
  t.same(unknown.calls(), []);
});

t.test('ends sessions before it lets an instance go, and not before it is told to', async (t) => {
  const { told, run, calls } = await instance(t, 'InService');
  const draining = run('drain');
  const polled = () => told.asked.filter((url) => url.includes('target-lifecycle-state')).length;
  while (polled() < 3) await new Promise(setImmediate);
  t.same(calls(), [], 'in service it does nothing');
  told.state = 'Terminated';
  t.equal(await ended(draining), 0);
  t.same(calls(), ['systemctl stop acra-enclave.service', completes('sessions-end')]);
});

t.test('goes on waiting while metadata does not answer', async (t) => {
  const { told, run, calls } = await instance(t, undefined);
  const draining = run('drain');
  while (told.asked.length < 6) await new Promise(setImmediate);
  t.same(calls(), []);
  told.state = 'Terminated';
  t.equal(await ended(draining), 0);
});

t.test('rejects other words with 64', async (t) => {
  const { run } = await instance(t, 'InService');
  t.equal(await ended(run('stop')), 64);
});
