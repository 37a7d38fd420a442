/** With the application's image, its entry point and what belongs to it are taken over, and nothing of the programs is left to decide. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { anyEnclaveSchema } from '../../../config/any-enclave.ts';
import { writeLayout } from '../../eif/oci/support/layout.ts';
import { file } from '../../eif/oci/support/programs.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { acraEnclave } from '../support/acra-enclave.ts';

const MANIFEST =
  "version: v1\nname: small\ntarget: small:enclave\nsources: {app: 'small:1'}\ndefaults: {memory_mb: 1000}\n";
const PASSWD = 'root:x:0:0::/root:/bin/sh\nweb:x:101:102::/srv:/bin/sh\n';

async function imported(t: Parameters<typeof temporaryFolder>[0], run: object) {
  const folder = temporaryFolder(t);
  const manifest = join(folder, 'enclaver.yaml');
  writeFileSync(manifest, MANIFEST);
  const layout = writeLayout(join(folder, 'image'), { layers: [[file('etc/passwd', PASSWD), file('etc/group')]], run });
  const out = join(folder, 'new');
  const words = ['import', manifest, '--out', out, '--image', `oci:${layout}`, '--json'];
  const ended = await acraEnclave(words, { XDG_CACHE_HOME: folder });
  const yaml = () => parse(readFileSync(join(out, 'enclave/enclave.yaml'), 'utf8'));
  return { ...ended, yaml, answer: () => JSON.parse(ended.stdout) };
}

t.test('takes entry point, user, environment, folder and stop signal of the image over', async (t) => {
  const { code, stderr, yaml, answer } = await imported(t, {
    Entrypoint: ['/srv/run', '--port'],
    Cmd: ['8000'],
    User: 'web',
    Env: ['LANG=C.UTF-8'],
    WorkingDir: '/srv',
    StopSignal: 'SIGINT',
  });
  t.equal(code, 0, stderr);
  t.same(yaml().programs.app, {
    command: ['/srv/run', '--port', '8000'],
    user: '101:102',
    environment: { LANG: 'C.UTF-8' },
    workingFolder: '/srv',
    stopSignal: 'SIGINT',
    restart: 'always',
    maxMemoryMiB: 500,
  });
  t.ok(anyEnclaveSchema.safeParse(yaml()).success);
  t.equal(answer().decisions, 0);
  t.match(
    answer().changes.find(({ field }: { readonly field: string }) => field === '(user)'),
    {
      outcome: 'changed',
      becomes: '101:102',
    },
  );
});

t.test('rejects an image without a program, and writes nothing (EIF_OCI_CONFIGURATION)', async (t) => {
  const { code, stderr, yaml } = await imported(t, {});
  t.equal(code, 1);
  t.match(stderr, 'EIF_OCI_CONFIGURATION');
  t.throws(yaml, { code: 'ENOENT' });
});
