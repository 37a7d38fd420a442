/** The resolver of the system, and the order of addresses. */
import t from 'tap';
import { interleaveFamilies } from '../../relay/address-order.ts';
import { systemResolver } from '../../relay/resolver.ts';

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

t.test('finds names of /etc/hosts', async (t) => {
  const { addresses, ttlMs } = await systemResolver.resolve('localhost', AbortSignal.timeout(10_000));
  t.ok(addresses.some(({ address }) => address === '127.0.0.1' || address === '::1'));
  t.ok(ttlMs > 0);
});

t.test('rejects when the signal has aborted', async (t) => {
  await t.rejects(systemResolver.resolve('localhost', AbortSignal.abort(new Error('stopped'))), { message: 'stopped' });
});
