/** Makes the certificates of certificate-shapes.ts with OpenSSL's command, as people do. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority } from '../../../emulator/pki/authority.ts';
import { systemClock } from '../../../runtime/clock.ts';
import type { Shape } from './certificate-shapes.ts';
import { CA_EXTENSIONS, SERVER_NAME } from './certificate-shapes.ts';

export interface MadeCertificate {
  /** What the database shows: leaf first. */
  readonly chainPem: string;
  readonly keyPem: string;
  readonly caPem: string;
}

interface Request {
  readonly folder: string;
  readonly file: string;
  readonly subject: string;
  readonly extensions: readonly string[];
  readonly issuer?: string;
  readonly key?: readonly string[];
  readonly options?: readonly string[];
}

function make({ folder, file, subject, extensions, issuer, key, options = [] }: Request): void {
  const at = (name: string) => join(folder, name);
  const config = at(`${file}.cnf`);
  writeFileSync(config, `[req]\ndistinguished_name=dn\nutf8=yes\n[dn]\n[ext]\n${extensions.join('\n')}\n`);
  const newKey = key ?? ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const signer = issuer === undefined ? [] : ['-CA', at(`${issuer}.pem`), '-CAkey', at(`${issuer}.key`)];
  const lifetime = options.includes('-not_after') ? [] : ['-days', '90'];
  const output = ['-keyout', at(`${file}.key`), '-out', at(`${file}.pem`)];
  const words = [
    'req',
    '-x509',
    '-new',
    '-nodes',
    '-config',
    config,
    '-extensions',
    'ext',
    '-subj',
    subject,
    '-newkey',
    ...newKey,
  ];
  execFileSync('openssl', [...words, ...lifetime, ...signer, ...options, ...output], { stdio: 'pipe' });
}

const DAY_MS = 86_400_000;
const LIFETIME_DAYS = 90;

/** OpenSSL's `req` begins today. */
async function atAnotherTime(daysAgo: number): Promise<MadeCertificate> {
  const authority = await createAuthority({ commonName: 'database CA', clock: systemClock });
  const notBefore = new Date(systemClock.nowMs() - daysAgo * DAY_MS);
  const notAfter = new Date(notBefore.getTime() + LIFETIME_DAYS * DAY_MS);
  const times = { notBefore, notAfter };
  const issued = await authority.issue({ commonName: 'db', subjectAltNames: [SERVER_NAME], kind: 'server', ...times });
  return { chainPem: issued.certificatePem, keyPem: issued.privateKeyPem, caPem: authority.certificatePem };
}

/** @param folder an empty one */
export async function makeCertificate(shape: Shape, folder: string): Promise<MadeCertificate> {
  const { serverName = SERVER_NAME, selfSigned = false, intermediate, daysAgo } = shape;
  if (daysAgo !== undefined) return atAnotherTime(daysAgo);
  const read = (name: string) => readFileSync(join(folder, `${name}.pem`), 'utf8');
  if (!selfSigned) {
    const options = shape.caOptions ?? [];
    make({ folder, file: 'ca', subject: '/CN=database CA', extensions: shape.caExtensions ?? CA_EXTENSIONS, options });
  }
  if (intermediate) make({ folder, file: 'between', subject: '/CN=between', issuer: 'ca', ...intermediate });
  make({
    folder,
    file: 'leaf',
    subject: `/CN=${serverName}`,
    extensions: shape.extensions ?? [`subjectAltName=DNS:${serverName}`],
    ...(selfSigned ? {} : { issuer: intermediate ? 'between' : 'ca' }),
    ...(shape.key ? { key: shape.key } : {}),
    ...(shape.leafOptions ? { options: shape.leafOptions } : {}),
  });
  return {
    chainPem: read('leaf') + (intermediate?.sent === true ? read('between') : ''),
    keyPem: readFileSync(join(folder, 'leaf.key'), 'utf8'),
    caPem: read(shape.trusts ?? (selfSigned ? 'leaf' : 'ca')),
  };
}
