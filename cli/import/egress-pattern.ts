/**
 * One entry of Enclaver's `egress.allow` or `.deny` (policy/): an address or CIDR if it parses as one, else a pattern of labels, matched
 * from the right: `*` is one label, `**` one or more, and what stands left of `**` is not looked at. It has no port: all are meant.
 * Here a rule has ports (docs/specs/egress.md).
 */
import { isIP } from 'node:net';
import { addressBytes, formatAddress } from '../../wire/networks.ts';

/** The name by which Enclaver calls the loopback interface outside the enclave. */
const HOST = 'host';
const IMDS = '169.254.169.254';
const WIDTHS: Readonly<Record<number, number>> = { 4: 32, 6: 128 };
const BITS_OF_BYTE = 8;

/** `text`: as rules have it, without ports; IPv6 in brackets. */
export type EgressPattern =
  | { readonly kind: 'name' | 'wildcard' | 'address' | 'network' | 'imds'; readonly text: string }
  | { readonly kind: 'parent' }
  /** `region`: undefined with a wildcard in its place. */
  | { readonly kind: 'kms'; readonly text: string; readonly region: string | undefined }
  | { readonly kind: 'unclear'; readonly text: string; readonly why: string };

const bracketed = (text: string) => (text.includes(':') ? `[${text}]` : text);

/** Enclaver takes networks with bits behind the prefix; rules do not. */
function masked(address: string, prefix: number): string {
  const bytes = addressBytes(address) ?? Buffer.alloc(0);
  for (const index of bytes.keys()) {
    const kept = Math.min(BITS_OF_BYTE, Math.max(0, prefix - index * BITS_OF_BYTE));
    bytes[index] = (bytes[index] ?? 0) & (0xff << (BITS_OF_BYTE - kept));
  }
  return `${formatAddress(bytes)}/${prefix}`;
}

function networkOf(pattern: string): EgressPattern {
  const [, address = '', prefix = ''] = /^([^/]*)\/(\d{1,3})$/.exec(pattern) ?? [];
  const width = WIDTHS[isIP(address)];
  if (width !== undefined && Number(prefix) <= width)
    return { kind: 'network', text: bracketed(masked(address, Number(prefix))) };
  return {
    kind: 'unclear',
    text: pattern,
    why: 'This is no network. Enclaver takes it for a name that nothing has, so that a deny of it denies nothing. Write ADDRESS/PREFIX.',
  };
}

const KMS_NAME = /^kms(?:-fips)?\.([^.]+)\.amazonaws\.com(?:\.cn)?$/;

function nameOf(text: string): EgressPattern {
  const labels = text.split('.');
  const unclear = (why: string): EgressPattern => ({ kind: 'unclear', text, why });
  const [deep] = labels.flatMap((label, index) => (label === '**' && index > 0 ? [index] : []));
  if (deep !== undefined) {
    const ignored = labels.slice(0, deep).join('.');
    return unclear(
      `Enclaver ignores what stands left of **, here ${ignored}, and so lets far more through than it says. Write the names.`,
    );
  }
  if (labels.at(-1) === '*' || text === '**')
    return unclear('It stands for names of any owner. Write the names that the program needs.');
  return { kind: text.includes('*') ? 'wildcard' : 'name', text };
}

/** As Enclaver understands it, or why nothing here means the same. */
export function readPattern(pattern: string): EgressPattern {
  const text = pattern.toLowerCase().replace(/\.$/, '');
  if (text === HOST) return { kind: 'parent' };
  if (text === IMDS || text === `${IMDS}/32`) return { kind: 'imds', text: IMDS };
  if (isIP(text) !== 0) return { kind: 'address', text: bracketed(text) };
  if (text.includes('/')) return networkOf(text);
  const kms = KMS_NAME.exec(text);
  if (kms !== null) return { kind: 'kms', text, region: kms[1]?.includes('*') ? undefined : kms[1] };
  return nameOf(text);
}
