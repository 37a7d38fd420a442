/** An enclave whose tokens lie in a real Redis, and a table with a column of each type of token. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { connectDirectly } from '../../../cli/demo/clients.ts';
import { APPLICATION } from '../../../cli/demo/database.ts';
import type { StackOptions } from '../../../cli/demo/stack.ts';
import { createAuthority } from '../../../emulator/pki/authority.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { failedBoot, prepareStack } from '../../support/stack.ts';
import { startRedis } from './redis.ts';

const NAME = 'tokens.test';
export const TYPES = {
  number: { sql: 'integer', type: 'int32', value: 4711, form: /^-?\d{1,10}$/ },
  long: { sql: 'bigint', type: 'int64', value: '123456789012345', form: /^-?\d{1,19}$/ },
  word: { sql: 'text', type: 'str', value: 'Beate', form: /^\w+$/ },
  bytes: { sql: 'bytea', type: 'bytes', value: Buffer.from('0001ff', 'hex'), form: /./s },
  email: { sql: 'text', type: 'email', value: 'beate@example.org', form: /^[^@]+@[^@]+$/ },
} as const;
export const NAMES = Object.keys(TYPES) as (keyof typeof TYPES)[];
const TABLE = ['id integer PRIMARY KEY', ...NAMES.map((name) => `${name} ${TYPES[name].sql}`)].join(', ');
const columns = NAMES.map(
  (name) => `      - {column: ${name}, token_type: ${TYPES[name].type}, consistent_tokenization: true}`,
);
const ENCRYPTOR = `schemas:
  - table: people
    columns: [id, ${NAMES.join(', ')}]
    encrypted:
${columns.join('\n')}
`;
export const VALUES = NAMES.map((name) => TYPES[name].value);

export interface TokenStackOptions extends Pick<StackOptions, 'otherClients'> {
  readonly tls: 'terminate' | 'passthrough';
  /** Default: the one that Redis shows. */
  readonly serverName?: string;
}

/** A measured enclave whose tokens are kept in `redis`. */
export async function tokenStack(t: Test, { tls, serverName = NAME, ...others }: TokenStackOptions) {
  const authority = await createAuthority({ commonName: 'Redis', clock: systemClock });
  const certificate = await authority.issue({ commonName: NAME, kind: 'server', subjectAltNames: [NAME] });
  const redis = await startRedis(t, certificate, authority.certificatePem);
  const stack = await prepareStack(t, {
    ...others,
    enclaveSettings: {
      ingress: { tls },
      acra: {
        tokens: { serverName, listen: 'tcp://127.0.0.1:0', ...(tls === 'passthrough' && { unreachable: 'plaintext' }) },
      },
      restart: { minMs: 50, maxMs: 100 },
    },
    hostSettings: { tokens: { connect: `tcp://127.0.0.1:${redis.port}` } },
  });
  writeFileSync(join(stack.enclaveFolder, 'tls', 'tokens-ca.pem'), authority.certificatePem);
  writeFileSync(join(stack.enclaveFolder, 'encryptor.yaml'), ENCRYPTOR);
  const owner = await connectDirectly(stack);
  await owner.query(`CREATE TABLE people (${TABLE}); GRANT SELECT, INSERT, UPDATE ON people TO ${APPLICATION.user}`);
  t.teardown(() => owner.end());
  return { stack, redis, owner };
}

/** Where Redis shows a certificate of another name than the measured one. */
export async function requireNoBootForOtherName(t: Test, tls: TokenStackOptions['tls']): Promise<void> {
  const { stack } = await tokenStack(t, { tls, serverName: 'other.test' });
  await stack.allowMeasuredEnclave();
  const status = await failedBoot(stack.enclave);
  t.match(status.enclave, {
    phase: 'acra',
    errorCode: 'ACRA_EXIT_FAILURE',
    detail: /valid for tokens.test, not other.test/,
  });
}

export const INSERT = `INSERT INTO people (id, ${NAMES.join(', ')}) VALUES ($1, ${NAMES.map((_, at) => `$${at + 2}`).join(', ')})`;
