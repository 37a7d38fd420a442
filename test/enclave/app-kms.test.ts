/** KMS of a program on an enclave machine: a key that opens for its measurements, by a document of its own security module, and for no other image. */
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { measurePcr } from '../../attestation/pcr.ts';
import { toPcrIndex } from '../../wire/brands.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { AppMachine } from './support/app-machine.ts';
import { target } from './support/target.ts';

const USES = ['Decrypt', 'Encrypt'];

async function told(
  t: Test,
  policy: 'of the image' | 'of another',
): Promise<{ readonly line: unknown; readonly audit: string }> {
  const cloud = await target().startCloud(temporaryFolder(t), undefined);
  t.teardown(() => cloud.stop());
  const [key, other] = [await cloud.createKey(), await cloud.createKey()];
  const { region, caPem } = cloud.operator;
  const machine = await AppMachine.serve(t, {
    files: caPem === undefined ? {} : { 'kms-ca.pem': caPem },
    enclave: {
      programs: {
        asking: { kind: 'task', command: ['node', '/probe/kms-probe.ts', key, other] },
        web: { command: ['node', '/probe/probe.ts'], after: ['asking'], probe: { http: 'http://127.0.0.1/' } },
      },
      ingress: { web: { to: 'tcp://127.0.0.1:80', vsockPort: 8080 } },
      kmsProxy: {
        regions: [{ region, ...(caPem !== undefined && { ca: 'kms-ca.pem' }) }],
        allow: [{ key, actions: USES }],
        random: true,
      },
      health: { maxClockJumpMs: 3_600_000, probeTimeoutMs: 30_000 },
    },
    host: { ingress: { web: { listen: 'tcp://127.0.0.1:0', vsockPort: 8080 } }, ...cloud.hostSettings },
    beforeStart: ({ pcrs }) => {
      const another = new Map([[toPcrIndex(0), measurePcr([Buffer.from('another image')])]]);
      return cloud.putKeyPolicy(key, policy === 'of the image' ? pcrs : another, { uses: USES });
    },
  });
  const [line = '{}'] = machine.printed('asking');
  const { auditFile } = cloud.emulated ?? {};
  return { line: JSON.parse(line), audit: auditFile === undefined ? '' : readFileSync(auditFile, 'utf8') };
}

t.test('opens a key for the measured image, and refuses what enclave.yaml does not name', async (t) => {
  const { line, audit } = await told(t, 'of the image');
  t.strictSame(line, { sealed: 'sealed', opened: 'opened', random: 32, other: 'AccessDeniedException' });
  const entries = audit.split('\n').flatMap((entry) => (entry === '' ? [] : [JSON.parse(entry)]));
  if (audit !== '')
    t.match(
      entries.find(({ operation }) => operation === 'Decrypt'),
      { recipientPcr0: /^[0-9a-f]{96}$/, outcome: 'success' },
    );
});

t.test('opens nothing where the key policy names another image', async (t) => {
  const { line } = await told(t, 'of another');
  t.match(line, { sealed: 'sealed', opened: 'AccessDeniedException' });
});
