import t from 'tap';
import { stateRuntime } from '../../../attestation/runtime/state-runtime.ts';
import { decodeStatement } from '../../../attestation/runtime/statement.ts';
import { appEnclaveSchema } from '../../../config/app/app-enclave.ts';

const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const FILES = new Map([['enclave.yaml', '11'.repeat(32)]]);

function stated(sections: object, files: ReadonlyMap<string, string> = FILES) {
  const programs = { web: { command: ['/bin/web', '--port', '80'] } };
  const config = appEnclaveSchema.parse({ version: 1, workload: 'app', name: 'web', programs, ...sections });
  return stateRuntime({ config, files, release: '1.0' });
}

t.test('states what an application is, and every way in and out', async (t) => {
  const { statement, encoding } = stated({
    ingress: { web: { to: 'tcp://127.0.0.1:80' }, api: { to: 'tcp://127.0.0.1:81', tls: 'ended' } },
    tls: { names: ['api.example.org'] },
    egress: {
      routes: { db: { to: 'db.example.org:5432', listen: 'tcp://127.0.0.1:5432' } },
      http: { allow: ['example.org'], deny: ['bad.example.org'] },
    },
    kmsProxy: { regions: [{ region: 'eu-central-1' }], allow: [{ key: KEY, actions: ['Decrypt'] }] },
  });
  t.match(statement, {
    version: 1,
    workload: 'app',
    release: '1.0',
    name: 'web',
    // printf '["/bin/web","--port","80"]' | sha256sum
    programs: { web: '6cb683b95fdaaf88aa1baa28cd986ba02bd75b94f079f2291eb6c1a849c43828' },
    ingress: { web: 'passed', api: 'ended' },
    tlsKey: 'attested',
    egress: { routes: { db: 'db.example.org:5432' }, http: /^[0-9a-f]{64}$/ },
    kmsProxy: { allow: [{ key: KEY, actions: ['Decrypt'] }], random: false },
  });
  t.same(decodeStatement(encoding), statement);
});

t.test('states another thing for each change of what enters, leaves or runs', async (t) => {
  const usual = stated({}).commitment.toString('hex');
  const http = (allow: string[], deny: string[] = []) => ({ egress: { http: { allow, deny } } });
  const others = [
    { programs: { web: { command: ['/bin/web', '--port', '81'] } } },
    { ingress: { web: { to: 'tcp://127.0.0.1:80' } } },
    http(['a.example.org']),
    http(['a.example.org'], ['a.example.org']),
    { egress: { routes: { db: { to: 'db:1', listen: 'tcp://127.0.0.1:1' } } } },
  ].map((sections) => stated(sections).commitment.toString('hex'));
  t.equal(new Set([usual, ...others]).size, others.length + 1);
});

t.test('counts the application’s own files to no configuration: they lie elsewhere in an image', async (t) => {
  const files = new Map([...FILES, ['app/bin/web', '22'.repeat(32)]]);
  t.same(stated({}, files).statement, stated({}).statement);
});
