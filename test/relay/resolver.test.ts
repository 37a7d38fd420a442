/** The resolver of the system, and the order of addresses. */
import { lookup } from 'node:dns/promises';
import { hostname } from 'node:os';
import t from 'tap';
import { interleaveFamilies } from '../../relay/address-order.ts';
import { createResolver, isFinalFailure, systemResolver } from '../../relay/resolver.ts';

t.test('takes turns between the families, IPv6 first (RFC 8305)', async (t) => {
  const four = (address: string) => ({ family: 4, address }) as const;
  const six = (address: string) => ({ family: 6, address }) as const;
  t.same(interleaveFamilies([four('a'), four('b'), six('c'), four('d'), six('e')]), [
    six('c'),
    four('a'),
    six('e'),
    four('b'),
    four('d'),
  ]);
  t.same(interleaveFamilies([four('a')]), [four('a')]);
  t.same(interleaveFamilies([]), []);
});

t.test('finds what the system finds: names of /etc/hosts, the machine’s own name', async (t) => {
  for (const host of ['localhost', 'ip6-localhost', hostname()]) {
    const system = await lookup(host, { all: true, order: 'verbatim' }).catch(() => undefined);
    if (system === undefined) continue;
    const { addresses, ttlMs } = await systemResolver.resolve(host, AbortSignal.timeout(10_000));
    t.same(addresses, system, host);
    t.ok(ttlMs > 0);
  }
});

t.test('asks no DNS server by itself: what the system knows otherwise holds, with or without a dot', async (t) => {
  const asked: string[] = [];
  const resolver = createResolver(async (host) => {
    asked.push(host);
    return [
      { address: '10.0.0.7', family: 4 },
      { address: 'fd00::7', family: 6 },
    ];
  });
  for (const host of ['db.example.com', 'db', 'kms.eu-central-1.amazonaws.com']) {
    const { addresses } = await resolver.resolve(host, AbortSignal.timeout(10_000));
    t.same(addresses, [
      { address: '10.0.0.7', family: 4 },
      { address: 'fd00::7', family: 6 },
    ]);
  }
  t.same(asked, ['db.example.com', 'db', 'kms.eu-central-1.amazonaws.com']);
});

t.test('tells a name without an address from one that could not be asked for', async (t) => {
  const error = (code: string) => Object.assign(new Error(code), { code });
  t.ok(isFinalFailure(error('ENOTFOUND')));
  t.notOk(isFinalFailure(error('EAI_AGAIN')));
  t.notOk(isFinalFailure(new Error('anything else')));
  const failure = await systemResolver.resolve('no-such-name.invalid', AbortSignal.timeout(30_000)).catch((e) => e);
  t.match(failure.code, /^(ENOTFOUND|EAI_AGAIN)$/, 'as the machine’s DNS answers');
});

t.test('rejects when the signal has aborted, or does while the system is silent', async (t) => {
  await t.rejects(systemResolver.resolve('localhost', AbortSignal.abort(new Error('stopped'))), { message: 'stopped' });
  const abort = new AbortController();
  const silent = createResolver(() => new Promise(() => undefined)).resolve('db.test', abort.signal);
  abort.abort(new Error('stopped'));
  await t.rejects(silent, { message: 'stopped' });
});
