/** Tokenized columns: only where tokens are kept, and alone. */
import t from 'tap';
import { parseEncryptorConfig } from '../../../acra/encryptor-config/lint.ts';
import { standInProblems } from '../../../acra/encryptor-config/stand-in.ts';
import { tokenUseOf } from '../../../acra/encryptor-config/token-use.ts';
import { enclaveSchema } from '../../../config/enclave.ts';

const file = (settings: string) => `schemas:
  - table: people
    columns: [id, name]
    encrypted:
      - {column: name, ${settings}}
`;
const enclave = (sections: object) =>
  enclaveSchema.safeParse({
    version: 1,
    name: 'demo',
    kms: {
      region: 'eu-central-1',
      keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
      encryptionContext: { purpose: 'test' },
    },
    database: { serverName: 'db.test' },
    ...sections,
  });
const tokens = { serverName: 'redis.test', unreachable: 'plaintext' };
const inLine = { ingress: { tls: 'passthrough' } };

for (const type of ['int32', 'int64', 'str', 'bytes', 'email'] as const) {
  t.test(`reads a column of tokens for ${type}, which the stand-in cannot do`, async (t) => {
    const text = file(`token_type: ${type}, consistent_tokenization: true`);
    const config = parseEncryptorConfig(text, 'e.yaml', 'kept');
    const dataType = type === 'email' ? 'str' : type;
    const token = { type, isConsistent: true };
    t.match(config.tables.get('people')?.encrypted.get('name'), { token, dataType, searchable: false });
    t.match(standInProblems(config), [new RegExp(`cannot do token_type: ${type}`)]);
    t.throws(() => parseEncryptorConfig(text, 'e.yaml'), { code: 'ENCRYPTOR_INVALID' }, 'and not where none are kept');
  });
}

for (const [settings, why] of [
  ['token_type: text', /token_type/],
  ['tokenized: true', /without token_type/],
  ['consistent_tokenization: true', /without token_type/],
  ['token_type: str, tokenized: false', /false beside token_type/],
  ['token_type: str, data_type: str', /takes no data_type/],
  ['token_type: str, searchable: true', /neither masked nor searchable/],
  ['token_type: str, masking: x, plaintext_length: 1, plaintext_side: left', /neither masked nor searchable/],
  ['token_type: str, response_on_fail: error', /response_on_fail/],
  ['token_type: str, client_id: other-client', /takes no client_id/],
  ['token_type: str, crypto_envelope: acrastruct', /needs acrablock/],
  ['token_type: str, reencrypting_to_acrablocks: false', /needs reencrypting_to_acrablocks/],
] as const) {
  t.test(`rejects ${settings} (ENCRYPTOR_INVALID)`, async (t) => {
    t.throws(() => parseEncryptorConfig(file(settings), 'e.yaml', 'kept'), { code: 'ENCRYPTOR_INVALID', message: why });
  });
}

t.test('takes whether tokens are consistent from the defaults where a column does not say it', async (t) => {
  const text = `defaults: {consistent_tokenization: true}\n${file('token_type: str').trimEnd()}
      - {column: id, token_type: int32, consistent_tokenization: false}
`;
  const columns = parseEncryptorConfig(text, 'e.yaml', 'kept').tables.get('people')?.encrypted;
  t.equal(columns?.get('name')?.token?.isConsistent, true);
  t.equal(columns?.get('id')?.token?.isConsistent, false);
});

t.test(
  'keeps tokens in a Redis only, and has what becomes of values without it written where they are stored',
  async (t) => {
    const both = enclave({ ...inLine, acra: { tokens } });
    t.equal(both.data && tokenUseOf(both.data), 'kept');
    const without = enclave(inLine);
    t.equal(without.data && tokenUseOf(without.data), 'refused');
    t.notMatch(enclave({ acra: { tokens: { serverName: 'redis.test' } } }).error?.message, /tokens/);
    t.match(enclave({ acra: { tokens } }).error?.message, /must be left out with ingress.tls: terminate: the guard/);
    const silent = enclave({ ...inLine, acra: { tokens: { serverName: 'redis.test' } } });
    t.match(silent.error?.message, /must say plaintext, and so that it is accepted/);
  },
);
