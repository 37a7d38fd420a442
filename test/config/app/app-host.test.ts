import t from 'tap';
import { hostProxySchema, keysFolderOf } from '../../../config/host-proxy.ts';

const SMALLEST = { version: 1, workload: 'app', enclave: { transport: 'vsock', cid: 16 } };

function faultsOf(sections: object): string[] {
  const result = hostProxySchema.safeParse({ ...SMALLEST, ...sections });
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

t.test('needs no database and no KMS for an enclave with any application', async (t) => {
  const config = hostProxySchema.parse(SMALLEST);
  t.equal(config.workload, 'app');
  t.same(config.ingress, {});
  t.equal(keysFolderOf(config), undefined);
  t.match(faultsOf({ database: { connect: 'tcp://db:5432' } }), [/Unrecognized key: "database"/]);
});

t.test('rejects two routes on one vsock port', async (t) => {
  const ingress = {
    a: { listen: 'tcp://0.0.0.0:80', vsockPort: 80 },
    b: { listen: 'tcp://0.0.0.0:81', vsockPort: 80 },
  };
  t.match(faultsOf({ ingress }), [/^ingress\.b\.vsockPort: would be 80, the vsock port of ingress\.a\.vsockPort too/]);
  const egress = { routes: { db: { connect: 'tcp://db:5432', vsockPort: 25432 } } };
  t.match(faultsOf({ ports: { imds: 25432 }, egress }), [/ports\.imds too/]);
  t.match(faultsOf({ ingress: { a: { listen: 'tcp://0.0.0.0:80', vsockPort: 9000 } } }), [/enclave’s own routes/]);
});

t.test('rejects a KMS route that leads to no KMS', async (t) => {
  t.match(faultsOf({ kms: { connect: 'tcp://sts.eu-central-1.amazonaws.com:443' } }), [/^kms\.connect: /]);
});

t.test('takes a file without the word for that of Acra', async (t) => {
  const { workload: _, ...others } = SMALLEST;
  t.match(hostProxySchema.safeParse(others).error?.issues, [{ path: ['database'] }, { path: ['kms'] }].slice(0, 1));
});
