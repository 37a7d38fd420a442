/**
 * Names that `egress.routes` would put into /etc/hosts of programs, and where they would lead. Of two lines for one name programs take
 * either address (hosts(5), getaddrinfo(3)), and a line leads to an address, not to another name.
 */
import { isIP } from 'node:net';
import { type RawEgress, targetOf } from './egress.ts';
import { canonicalHost, LOCALHOST } from './loopback.ts';

interface Fault {
  readonly path: readonly string[];
  readonly message: string;
}

type Named = Pick<RawEgress, 'listen'> & { readonly route: string; readonly name: string };

function faultOf({ route, name, listen }: Named, before: readonly Named[]): Fault | undefined {
  const at = (field: string, message: string): Fault => ({ path: ['egress', 'routes', route, field], message });
  if (name === LOCALHOST)
    return at('to', 'must be another name with hostsEntry: /etc/hosts has localhost already. Write hostsEntry: false');
  if (isIP(listen.host) === 0)
    return at('listen', 'must be an address, which /etc/hosts leads to, such as tcp://127.0.0.1:5432');
  const other = before.find((each) => each.name === name && each.listen.host !== listen.host);
  if (other === undefined) return undefined;
  return at(
    'listen',
    `must have the address of egress.routes.${other.route}.listen: both are for ${name}, which leads to one. Or write hostsEntry: false`,
  );
}

export function hostsFaults(routes: Readonly<Record<string, RawEgress>>): readonly Fault[] {
  const named = Object.entries(routes)
    .filter(([, route]) => route.hostsEntry && isIP(targetOf(route).host) === 0)
    .map(([route, raw]): Named => ({ route, name: canonicalHost(targetOf(raw).host), listen: raw.listen }));
  return named.flatMap((each, index) => faultOf(each, named.slice(0, index)) ?? []);
}
