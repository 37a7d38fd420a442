/**
 * Whether acra-server accepts a database's certificate for a name. It is a Go program, and Go's rules differ from Node's: a name that
 * stands only in the subject's CN counts for nothing, an IP address must stand as an address, a wildcard is a whole first label, and one
 * name that is not ASCII spoils all.
 * Specification: Go's crypto/x509, Certificate.VerifyHostname (verify.go), parseSANExtension (parser.go); acra-server contract 12.
 */
import { isIP } from 'node:net';
import type { PeerCertificate } from 'node:tls';

/** What acra-server would say, in its words' place; undefined: it accepts. `serverName`: a DNS name or an IP address. */
export function refusedName(
  certificate: Pick<PeerCertificate, 'subject' | 'subjectaltname'>,
  serverName: string,
): string | undefined {
  const names = alternativeNames(certificate.subjectaltname ?? '');
  const malformed = names.find(
    ({ kind, value }) => ASCII_KINDS.has(kind) && [...value].some((character) => character > '\x7f'),
  );
  if (malformed) return `acra-server cannot read it: the subject alternative name ${list([malformed])} is not ASCII`;
  if (isIP(serverName) !== 0) {
    const isNamed = names.some(({ kind, value }) => kind === 'IP Address' && sameAddress(value, serverName));
    return isNamed ? undefined : `it is not for the address ${serverName}; subject alternative names: ${list(names)}`;
  }
  const commonName = [certificate.subject?.CN].flat()[0];
  const dnsNames = names.filter(({ kind }) => kind === 'DNS').map(({ value }) => value);
  if (dnsNames.length === 0 && commonName !== undefined) {
    return `it has its name (${printable(commonName)}) only in the subject’s CN, which acra-server does not read: it needs a subject alternative name`;
  }
  if (dnsNames.some((pattern) => matches(pattern, serverName))) return undefined;
  return `it is not for ${serverName}; subject alternative names: ${list(names)}`;
}

/** GeneralName's IA5Strings (RFC 5280, 4.2.1.6), as Node names them. */
const ASCII_KINDS: ReadonlySet<string> = new Set(['DNS', 'email', 'URI']);

interface AlternativeName {
  readonly kind: string;
  readonly value: string;
}

/** Node's text form: `DNS:a.example, IP Address:10.0.0.1`; a value with a comma or quote comes as a JSON string. */
function alternativeNames(text: string): readonly AlternativeName[] {
  return [...text.matchAll(/(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g)].map(([, kind = '', value = '']) => ({
    kind,
    value: value.startsWith('"') ? (JSON.parse(value) as string) : value,
  }));
}

function list(names: readonly AlternativeName[]): string {
  return printable(names.map(({ kind, value }) => `${kind}:${value}`).join(', ')) || 'none';
}

/** The names are the other end's: nothing of them may act on a terminal or fill a log. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 300);
}

/** Go's matchHostnames: label by label, without regard to case, a trailing dot of the wanted name set aside; `*` alone is no pattern. */
function matches(pattern: string, name: string): boolean {
  const patternLabels = pattern.toLowerCase().split('.');
  const labels = name.toLowerCase().replace(/\.$/, '').split('.');
  if (labels.length !== patternLabels.length || labels.some((label) => label === '')) return false;
  const mayBeAny = labels.length > 1;
  return patternLabels.every((label, index) => (mayBeAny && index === 0 && label === '*') || label === labels[index]);
}

function sameAddress(a: string, b: string): boolean {
  return canonicalAddress(a) === canonicalAddress(b);
}

/** IPv6 has many spellings; the URL parser knows one. */
function canonicalAddress(address: string): string {
  return isIP(address) === 6 ? new URL(`http://[${address}]`).hostname : address;
}
