/** The longest message and the memory of acra-server, which must hold several times what it says. */
import t from 'tap';
import { enclaveSchema } from '../../config/enclave.ts';
import { engineMemoryFault, engineValueBytes } from '../../config/engine-memory.ts';
import { loadConfig } from '../../config/load.ts';
import { PROJECT } from '../project/imports.ts';

const MIB = 1024 * 1024;
const { acra, ingress } = loadConfig(enclaveSchema, `${PROJECT}/examples/enclave.yaml`);

t.test('takes the defaults, with room to spare', async (t) => {
  t.equal(engineMemoryFault({ ...ingress.limits, ...acra }), undefined);
  t.equal(engineValueBytes(ingress.limits.maxMessageBytes), ingress.limits.maxMessageBytes);
});

t.test('takes what just fits, and says what does not', async (t) => {
  t.equal(engineMemoryFault({ maxMessageBytes: 32 * MIB, maxMemoryMiB: 64 + 14 * 32 }), undefined);
  t.match(
    engineMemoryFault({ maxMessageBytes: 32 * MIB + 1, maxMemoryMiB: 64 + 14 * 32 }),
    /^must be at least 513, or ingress\.limits\.maxMessageBytes smaller: acra-server needs 7 times a value/,
  );
});

t.test('lets what was stored under a higher limit be read', async (t) => {
  t.equal(engineValueBytes(MIB), 16 * MIB);
  t.match(engineMemoryFault({ maxMessageBytes: MIB, maxMemoryMiB: 287 }), /^must be at least 288: /);
});

t.test('rejects a configuration in which they do not fit, where acra-server is an engine', async (t) => {
  const document = (tls: string, maxMemoryMiB: number) => ({
    version: 1,
    name: 'records',
    ingress: { tls, limits: { maxMessageBytes: 30 * MIB } },
    acra: { maxMemoryMiB },
    database: {
      serverName: 'db.internal',
      ...(tls === 'terminate' ? { users: [{ name: 'app', clients: ['CN=a'] }] } : {}),
    },
    kms: {
      keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
      encryptionContext: { purpose: 'acra' },
    },
  });
  const issuesOf = (tls: string, maxMemoryMiB: number) =>
    enclaveSchema.safeParse(document(tls, maxMemoryMiB)).error?.issues.map(({ path }) => path.join('.')) ?? [];
  t.same(issuesOf('terminate', 483), ['acra.maxMemoryMiB']);
  t.same(issuesOf('terminate', 484), []);
  t.same(issuesOf('passthrough', 483), []);
});
