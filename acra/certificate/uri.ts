/**
 * Why Go's crypto/x509 would not read a URI among the names of a certificate, and with it the whole certificate.
 * Specification: Go 1.26, net/url, Parse (url.go); crypto/x509, parseSANExtension and domainNameValid (parser.go).
 */
import { isIPv6 } from 'node:net';

const SCHEME = /^[A-Za-z][A-Za-z0-9+\-.]*:/;
const BROKEN_ESCAPE = /%(?![0-9A-Fa-f]{2})/;
/** In a host only bytes above ASCII may be escaped, and the percent sign itself. */
const FORBIDDEN_IN_HOST = /[^A-Za-z0-9\-._~!$&'()*+,;=:[\]<>"%]|%(?!25|[89A-Fa-f])/;
const PORT = /^(:[0-9]*)?$/;
const USER = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/;

/** @param uri of ASCII @returns what is wrong, for people */
export function refusedUri(uri: string): string | undefined {
  if ([...uri].some((character) => character < ' ' || character === '\x7f')) return 'a control character';
  const [beforeFragment = '', ...fragment] = uri.split('#');
  if (BROKEN_ESCAPE.test(fragment.join('#'))) return 'a percent sign that escapes nothing';
  const scheme = SCHEME.exec(beforeFragment)?.[0] ?? '';
  if (scheme === '' && beforeFragment.startsWith(':')) return 'no scheme before the colon';
  const [rest = ''] = beforeFragment.slice(scheme.length).split('?');
  if (!rest.startsWith('/') && scheme !== '') return undefined;
  if (!rest.startsWith('/') && (rest.split('/')[0] ?? '').includes(':')) {
    return 'a colon before the first slash without a scheme';
  }
  const hasAuthority = rest.startsWith('//') && (scheme !== '' || !rest.startsWith('///'));
  const [authority = '', ...path] = hasAuthority ? rest.slice(2).split('/') : ['', rest];
  if (BROKEN_ESCAPE.test(path.join('/'))) return 'a percent sign that escapes nothing';
  return hasAuthority ? refusedAuthority(authority, scheme.toLowerCase()) : undefined;
}

function refusedAuthority(authority: string, scheme: string): string | undefined {
  const at = authority.lastIndexOf('@');
  const user = authority.slice(0, Math.max(at, 0));
  if (!USER.test(user) || BROKEN_ESCAPE.test(user)) return 'a user name that cannot be read';
  const host = authority.slice(at + 1);
  const open = host.lastIndexOf('[');
  if (open >= 0) return refusedLiteral(host, open);
  const colon = /^https?:$/.test(scheme) ? host.indexOf(':') : host.lastIndexOf(':');
  if (colon >= 0 && !PORT.test(host.slice(colon))) return 'a port that is no number';
  return FORBIDDEN_IN_HOST.test(host) || BROKEN_ESCAPE.test(host) ? 'a host that is no name' : refusedDomain(host);
}

function refusedLiteral(host: string, open: number): string | undefined {
  const close = host.lastIndexOf(']');
  if (open > 0 || close < 0) return 'square brackets that do not enclose the host';
  if (!PORT.test(host.slice(close + 1))) return 'a port that is no number';
  const [address = '', ...zone] = host.slice(1, close).split('%25');
  if (!isIPv6(address) || /[^!-~]|%/.test(zone.join('')) || (host.includes('%25') && zone.join('') === ''))
    return 'square brackets around what is no IPv6 address';
  return refusedDomain(host);
}

function refusedDomain(host: string): string | undefined {
  if (host === '') return undefined;
  // A host that was escaped has bytes above ASCII.
  if (/[^!-~]|%[89A-Fa-f]/.test(host)) return 'a host that is not ASCII';
  return host.split('.').includes('') ? 'a host with an empty label' : undefined;
}
