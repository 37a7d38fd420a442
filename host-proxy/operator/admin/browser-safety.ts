/**
 * What keeps a browser from doing more with the admin port than showing its page. Everything there is told by the enclave or by strangers in
 * the end, and the port has no login: it relies on who can reach it.
 *
 * Specifications: Content Security Policy Level 3; Trusted Types; Fetch, "Cross-Origin-Resource-Policy"; RFC 9110, 7.2 and 15.5.20.
 */
import { isIP } from 'node:net';

/** No request but to this port, no script that does not stand in a file of it, and no way from a text to markup. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** Of every answer: also a document of JSON can be opened, framed or embedded. */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/;
const NAME_OF_LOOPBACK = /^(?:.+\.)?localhost\.?$/i;

/**
 * A page of a stranger can have its own name lead to 127.0.0.1 (DNS rebinding) and then read, in the browser of an operator, whatever answers
 * there: the browser takes it for the same origin, and only the name in the Host header shows it. So a port that is bound to the loopback
 * answers to addresses and to `localhost`, which no stranger's page has for its origin. A port that is bound elsewhere was given to a network
 * on purpose, and may have any name there.
 *
 * @param bound address that the port is bound to
 * @param host as the request has it; undefined where it has none, as with HTTP/1.0, which no browser speaks
 */
export function isAddressed(bound: string, host: string | undefined): boolean {
  if (host === undefined || !LOOPBACK.test(bound)) return true;
  const name = URL.parse(`http://${host}`)?.hostname ?? '';
  return isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0 || NAME_OF_LOOPBACK.test(name);
}
