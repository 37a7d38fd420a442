/** Whoever shows certificates chooses their number, names and keys: judging them must not take longer for that. */
import t from 'tap';
import { chainFault, PURPOSE } from '../../../acra/certificate/chain.ts';
import { type CertificateFacts, readCertificateFacts } from '../../../acra/certificate/facts.ts';
import {
  GOOD,
  type Made,
  makeCertificate,
  newEd25519Key,
  newKey,
  type Shape,
} from '../../keys/support/certificate-maker.ts';

const NOW_MS = Date.UTC(2026, 5, 1);
const RULES = { purpose: PURPOSE.server, nowMs: NOW_MS };
const SERVER: Shape = { ...GOOD.server, dnsNames: ['db.example.com'] };
const authority = makeCertificate(GOOD.authority, NOW_MS);

const factsOf = ({ certificate }: Made): CertificateFacts => readCertificateFacts(certificate.raw);

/** CAs of one name and key, so that each has issued each. */
const ring = (count: number, key = newEd25519Key()) => {
  const shape = { ...GOOD.authority, subject: 'ring', key };
  return Array.from({ length: count }, () => makeCertificate(shape, NOW_MS));
};

const constraint = (text: string) => {
  const name = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x30, name.length + 2, 0x82, name.length]), name]);
};

function sized(tag: number, content: Buffer): Buffer {
  const length = Buffer.from([0x82, content.length >> 8, content.length & 0xff]);
  return Buffer.concat([Buffer.from([tag]), length, content]);
}

t.test('rejects CAs that have all issued each other, in bounded time', { timeout: 20_000 }, async (t) => {
  const cas = ring(16);
  const leaf = makeCertificate(SERVER, NOW_MS, cas[0]);
  t.ok(chainFault(factsOf(leaf), cas.map(factsOf), [factsOf(authority)], RULES));
});

t.test('finds the way through a few that have issued each other', async (t) => {
  const key = newEd25519Key();
  const shape = { ...GOOD.authority, subject: 'ring', key };
  const crossed = makeCertificate(shape, NOW_MS, authority);
  const leaf = makeCertificate(SERVER, NOW_MS, crossed);
  const others = [...ring(3, key), crossed].map(factsOf);
  t.equal(chainFault(factsOf(leaf), others, [factsOf(authority)], RULES), undefined);
});

t.test('rejects more names and constraints than can be compared', { timeout: 20_000 }, async (t) => {
  const constraints = Buffer.concat(Array.from({ length: 600 }, (_, index) => constraint(`n${index}.test`)));
  const value = sized(0x30, sized(0xa1, constraints)).toString('hex');
  const extra = [{ oid: '551d1e', critical: true, value }];
  const ca = makeCertificate({ ...GOOD.authority, subject: 'narrow', key: newKey(), extra }, NOW_MS, authority);
  const leafOf = (count: number) =>
    factsOf(makeCertificate({ ...SERVER, dnsNames: Array.from({ length: count }, (_, i) => `a${i}.b`) }, NOW_MS, ca));
  const fault = (count: number) => chainFault(leafOf(count), [factsOf(ca)], [factsOf(authority)], RULES);
  t.equal(fault(400), undefined);
  t.match(fault(500), { kind: 'issuer', reason: /too many name constraints/ });
});
