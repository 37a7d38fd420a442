/**
 * The shape of Acra's `encryptor_config.yaml` (acra-server contract 4.1) as we accept it, and the checked form that the
 * rest of the project works with. acra-server reads the same file leniently: unknown keys and wrong places are ignored
 * there, and a column that is not recognised is stored in plaintext. So every key is named here and nothing else passes.
 */
import { z } from 'zod';
import { CLIENT_ID_FORM, isClientId } from '../keystore/layout.ts';
import { DATA_TYPE_OIDS, DATA_TYPES, type DataType, TOKEN_TYPES, type TokenType } from './data-types.ts';
import { flag, integer, text } from './scalars.ts';

const CRYPTO_ENVELOPES = ['acrablock', 'acrastruct'] as const;
type CryptoEnvelope = (typeof CRYPTO_ENVELOPES)[number];

type ResponseOnFail = 'ciphertext' | 'default_value' | 'error';

const name = text.pipe(z.string().min(1));
const envelope = text.pipe(z.enum(CRYPTO_ENVELOPES));

const columnSchema = z.strictObject({
  column: name,
  client_id: text.refine(isClientId, { error: `must be ${CLIENT_ID_FORM}` }).optional(),
  crypto_envelope: envelope.optional(),
  reencrypting_to_acrablocks: flag.optional(),
  data_type: text.pipe(z.enum(DATA_TYPES)).optional(),
  data_type_db_identifier: integer.pipe(z.literal(Object.values(DATA_TYPE_OIDS))).optional(),
  response_on_fail: text.pipe(z.enum(['ciphertext', 'default_value', 'error'])).optional(),
  default_data_value: text.optional(),
  searchable: flag.optional(),
  masking: name.optional(),
  plaintext_length: integer.pipe(z.int().min(0)).optional(),
  plaintext_side: text.pipe(z.enum(['left', 'right'])).optional(),
  token_type: text.pipe(z.enum(TOKEN_TYPES)).optional(),
  consistent_tokenization: flag.optional(),
  tokenized: flag.optional(),
});
export type RawColumn = z.output<typeof columnSchema>;

const tableSchema = z.strictObject({
  table: name,
  columns: z.array(name).min(1),
  encrypted: z.array(columnSchema).optional(),
});

const defaultsSchema = z.strictObject({
  crypto_envelope: envelope.optional(),
  reencrypting_to_acrablocks: flag.optional(),
  consistent_tokenization: flag.optional(),
});
export type RawDefaults = z.output<typeof defaultsSchema>;

export const encryptorFileSchema = z.strictObject({
  defaults: defaultsSchema.optional(),
  database_settings: z.strictObject({ postgresql: z.strictObject({}).optional() }).optional(),
  schemas: z.array(tableSchema).min(1),
});
export type RawEncryptorFile = z.output<typeof encryptorFileSchema>;

/** The keys of each map in the file, by the names on the way to it. */
export const KNOWN_KEYS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(encryptorFileSchema.shape),
  defaults: Object.keys(defaultsSchema.shape),
  database_settings: ['postgresql'],
  schemas: Object.keys(tableSchema.shape),
  'schemas.encrypted': Object.keys(columnSchema.shape),
};

/** How one column is protected, defaults applied. */
export interface EncryptedColumn {
  /** Bare name of its relation. */
  readonly table: string;
  readonly name: string;
  /** Whose keys encrypt; undefined: those of the connection's own client id. */
  readonly clientId: string | undefined;
  readonly envelope: CryptoEnvelope;
  readonly reencryptsToAcraBlock: boolean;
  readonly dataType: DataType | undefined;
  readonly onFail: ResponseOnFail;
  /** Text of the type, base64 for `bytes`; only with onFail `default_value`. */
  readonly defaultValue: string | undefined;
  readonly searchable: boolean;
  /**
   * Exchanged for a random value of the same form, of which acra-server keeps elsewhere what it stands for; `dataType` is then that of both,
   * and nothing of the others holds. Consistent: equal values have equal tokens.
   */
  readonly token?: { readonly type: TokenType; readonly isConsistent: boolean } | undefined;
  readonly masking:
    | { readonly pattern: string; readonly plaintextBytes: number; readonly side: 'left' | 'right' }
    | undefined;
}

export interface EncryptedTable {
  /** Bare relation name as PostgreSQL stores it: folded to lower case unless it needs quotes. */
  readonly name: string;
  /** All columns in their real order. */
  readonly columns: readonly string[];
  readonly encrypted: ReadonlyMap<string, EncryptedColumn>;
  /** Where the real order is another one for a while (decision 21): columns that only their names find; `*` and rows without names do not have them. */
  readonly hidden?: readonly string[];
}

export interface EncryptorFinding {
  /** 1-based line in the file; 0 when the file as a whole is meant. */
  readonly line: number;
  /** Where in the document, e.g. `schemas.0.encrypted.1.data_type`. */
  readonly path: string;
  readonly message: string;
}

export interface EncryptorConfig {
  readonly tables: ReadonlyMap<string, EncryptedTable>;
  /** Allowed, but weaker than it could be; show them to the operator. */
  readonly warnings: readonly EncryptorFinding[];
}
