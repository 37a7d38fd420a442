/** Databases with keys and TLS of other kinds, and what a session through acra-server 0.96.0 makes of each (as certificate-shapes.ts). */
import type { Shape } from './certificate-shapes.ts';

export const HANDSHAKE_SHAPES: readonly Shape[] = [
  { name: 'RSA with 1024 bits', verdict: 'accepted', key: ['rsa:1024'] },
  { name: 'RSA with 2048 bits', verdict: 'accepted', key: ['rsa:2048'] },
  { name: 'RSA with 768 bits', verdict: 'accepted', key: ['rsa:768'] },
  { name: 'RSA-PSS', verdict: 'handshake-failed', key: ['rsa-pss'] },
  { name: 'P-384', verdict: 'accepted', key: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384'] },
  { name: 'P-521', verdict: 'accepted', key: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-521'] },
  { name: 'secp256k1', verdict: 'handshake-failed', key: ['ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1'] },
  { name: 'Ed25519', verdict: 'accepted', key: ['ed25519'] },
  { name: 'Ed448', verdict: 'handshake-failed', key: ['ed448'] },
  { name: 'a negative serial number', verdict: 'accepted', leafOptions: ['-set_serial', '-5'] },
  { name: 'TLS 1.2 alone', verdict: 'accepted', server: { maxVersion: 'TLSv1.2' } },
  { name: 'TLS 1.3 alone', verdict: 'accepted', server: { minVersion: 'TLSv1.3' } },
  {
    name: 'TLS 1.1 alone',
    verdict: 'handshake-failed',
    server: { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
  },
  {
    name: 'TLS 1.2 with CBC alone',
    verdict: 'handshake-failed',
    server: { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA' },
  },
  {
    name: 'TLS 1.2 without elliptic curves',
    verdict: 'handshake-failed',
    key: ['rsa:2048'],
    server: { maxVersion: 'TLSv1.2', ciphers: 'DHE-RSA-AES256-GCM-SHA384' },
  },
  {
    name: 'TLS 1.2 without forward secrecy',
    verdict: 'handshake-failed',
    key: ['rsa:2048'],
    server: { maxVersion: 'TLSv1.2', ciphers: 'AES256-GCM-SHA384' },
  },
  { name: 'X448 alone', verdict: 'handshake-failed', server: { ecdhCurve: 'X448' } },
  { name: 'P-521 for key agreement alone', verdict: 'accepted', server: { ecdhCurve: 'P-521' } },
];
