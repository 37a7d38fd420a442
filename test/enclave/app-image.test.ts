/**
 * An enclave machine with what programs need of a container image, and no more: they run as the image says, those of musl as those of
 * glibc, and a key opens for this image and not for the one that has the whole container image.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { request } from 'undici';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { AppMachine } from './support/app-machine.ts';
import { buildContainerImage, hasMusl, programOf, writeContainerImage } from './support/container-image.ts';
import type { BuiltImage } from './support/images.ts';
import { target } from './support/target.ts';

const USES = ['Decrypt', 'Encrypt'];
const CLOSURE = { keep: ['/probe'] };

const folder = temporaryFolder(t);
const image = await writeContainerImage(folder);
const cloud = await target().startCloud(folder, undefined);
t.teardown(() => cloud.stop());
const [key, keyOfWhole, other] = [await cloud.createKey(), await cloud.createKey(), await cloud.createKey()];
const { region, caPem } = cloud.operator;
const program = await programOf(image);
const asking = (its: string) => ({
  ...program,
  kind: 'task',
  command: ['node', '/probe/kms-probe.ts', its, other, 'named'],
});

const built: BuiltImage[] = [];
const machine = await AppMachine.serve(t, {
  files: caPem === undefined ? {} : { 'kms-ca.pem': caPem },
  enclave: {
    programs: {
      opening: asking(key),
      refused: asking(keyOfWhole),
      ...(hasMusl() && { greeter: { ...program, kind: 'task', command: ['/opt/greeter/greeter'] } }),
      web: { ...program, after: ['opening', 'refused'], probe: { http: 'http://127.0.0.1/' } },
    },
    ingress: { web: { to: 'tcp://127.0.0.1:80', vsockPort: 8080 } },
    kmsProxy: {
      regions: [{ region, ...(caPem !== undefined && { ca: 'kms-ca.pem' }) }],
      allow: [key, keyOfWhole].map((each) => ({ key: each, actions: USES })),
      random: true,
    },
    health: { maxClockJumpMs: 3_600_000, probeTimeoutMs: 30_000 },
  },
  host: { ingress: { web: { listen: 'tcp://127.0.0.1:0', vsockPort: 8080 } }, ...cloud.hostSettings },
  build: async (enclaveFolder, outputFolder) => {
    const whole = await buildContainerImage({ image, enclaveFolder, outputFolder: join(folder, 'whole') });
    const closure = await buildContainerImage({ image, enclaveFolder, outputFolder, closure: CLOSURE });
    built.push(closure, whole);
    return closure;
  },
  beforeStart: async ({ pcrs }) => {
    await cloud.putKeyPolicy(key, pcrs, { uses: USES });
    await cloud.putKeyPolicy(keyOfWhole, built[1]?.pcrs ?? new Map(), { uses: USES });
  },
});
const told = (name: string) => JSON.parse(machine.printed(name)[0] ?? '{}') as Record<string, unknown>;

t.test('runs the program with Entrypoint, Env, User and WorkingDir of the container image', async (t) => {
  const { host, port } = machine.address;
  const { body } = await request(`http://${host}:${port}/`);
  const seen = (await body.json()) as Record<string, unknown>;
  t.match(seen, { user: [1234, 2345, ''], folder: '/srv/data', environment: { GREETING: 'from the image' } });
  t.match(program.command, ['node', '/probe/probe.ts']);
});

t.test(
  'runs a program of musl, with libraries that it finds as musl does',
  { skip: !hasMusl() && 'no musl-gcc here' },
  async (t) => {
    t.same(machine.printed('greeter'), ['musl 1234:2345 /srv/data from the image']);
  },
);

t.test('has no more of the container image than what programs need', async (t) => {
  const { host, port } = machine.address;
  const seen = (await (await request(`http://${host}:${port}/`)).body.json()) as { readonly root: readonly string[] };
  t.notOk(seen.root.includes('bin'));
  const [closure, whole] = built.map(({ path }) => statSync(path).size);
  t.ok((closure ?? 0) < (whole ?? 0));
});

t.test('opens its own key by what was measured when it was built, and not that of the whole image', async (t) => {
  t.match(told('opening'), { sealed: 'sealed', opened: 'opened', other: 'AccessDeniedException' });
  t.match(told('refused'), { sealed: 'sealed', opened: 'AccessDeniedException' });
  const [closure, whole] = built.map(({ measurements }) => measurements.Measurements);
  t.match(machine.records.find(({ event }) => event === 'nsm.described')?.fields, {
    PCR0: closure?.PCR0,
    PCR1: closure?.PCR1,
    PCR2: closure?.PCR2,
  });
  t.not(closure?.PCR0, whole?.PCR0);
  const { auditFile } = cloud.emulated ?? {};
  if (auditFile === undefined) return;
  const entries = readFileSync(auditFile, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const opened = entries.filter(({ operation, outcome }) => operation === 'Decrypt' && outcome === 'success');
  t.ok(opened.length > 0 && opened.every(({ recipientPcr0 }) => recipientPcr0 === closure?.PCR0));
});
