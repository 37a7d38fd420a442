/**
 * Whether acra-server accepts a database's certificate for a name. It is a Go program, and Go's rules differ from Node's: a name that
 * stands only in the subject's CN counts for nothing, an IP address must stand as an address, and a wildcard is a
 * whole first label.
 * Specification: Go's crypto/x509, Certificate.VerifyHostname (verify.go); acra-server contract 12.
 */
import { isIP } from 'node:net';
import type { AlternativeName } from '../certificate/alternative-names.ts';
import { addressText } from '../certificate/alternative-names.ts';
import type { CertificateFacts } from '../certificate/facts.ts';

/** What acra-server would say, in its words' place; undefined: it accepts. `serverName`: a DNS name or an IP address. */
export function refusedName(
  { alternativeNames: names, x509 }: Pick<CertificateFacts, 'alternativeNames' | 'x509'>,
  serverName: string,
): string | undefined {
  if (isIP(serverName) !== 0) {
    const isNamed = names.some(({ kind, value }) => kind === 'ip' && value === canonicalAddress(serverName));
    return isNamed ? undefined : `it is not for the address ${serverName}; subject alternative names: ${list(names)}`;
  }
  const commonName = /^CN=(.*)$/m.exec(x509.subject ?? '')?.[1];
  const dnsNames = names.filter(({ kind }) => kind === 'dns').map(({ value }) => value);
  if (dnsNames.length === 0 && commonName !== undefined) {
    return `it has its name (${printable(commonName)}) only in the subject’s CN, which acra-server does not read: it needs a subject alternative name`;
  }
  if (dnsNames.some((pattern) => matches(pattern, serverName))) return undefined;
  return `it is not for ${serverName}; subject alternative names: ${list(names)}`;
}

function list(names: readonly AlternativeName[]): string {
  return printable(names.map(({ kind, value }) => `${LABELS[kind]}:${value}`).join(', ')) || 'none';
}

const LABELS = { dns: 'DNS', ip: 'IP', email: 'e-mail', uri: 'URI' } as const;

/** The names are the other end's: nothing of them may act on a terminal or fill a log. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 300);
}

/** Go's validHostname: what is none is compared as it stands. */
function isHostName(name: string, isPattern: boolean): boolean {
  if (name === '*') return false;
  const labels = name.split('.');
  return labels.every(
    (label, index) => (isPattern && index === 0 && label === '*') || /^[A-Za-z0-9_][A-Za-z0-9\-_]*$/.test(label),
  );
}

/** Go's matchHostnames: label by label, without regard to case, a trailing dot of the wanted name set aside. */
function matches(pattern: string, serverName: string): boolean {
  const wanted = pattern.toLowerCase();
  const name = serverName.toLowerCase();
  const host = name.replace(/\.$/, '');
  if (!isHostName(wanted, true) || !isHostName(host, false)) return wanted === name && wanted !== '' && wanted !== '.';
  const wantedLabels = wanted.split('.');
  const labels = host.split('.');
  return (
    labels.length === wantedLabels.length &&
    wantedLabels.every((label, index) => (index === 0 && label === '*') || label === labels[index])
  );
}

/** As `addressText` writes those of certificates: IPv6 has many spellings, and the URL parser knows one. */
function canonicalAddress(address: string): string {
  if (isIP(address) !== 6) return address;
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = short.split('::').map((half) => half.split(':').filter((group) => group !== ''));
  const before = [...head];
  const after = [...(tail ?? [])];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  const groups = [...before, ...(tail === undefined ? [] : zeros), ...after].map((group) => group.padStart(4, '0'));
  return addressText(Buffer.from(groups.join(''), 'hex'));
}
