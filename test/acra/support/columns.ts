/** Columns as encryptor.yaml would have them. */
import type { EncryptedColumn } from '../../../acra/encryptor-config/schema.ts';

export function columnOf(options: Partial<EncryptedColumn> = {}): EncryptedColumn {
  return {
    table: 'person',
    name: 'secret',
    clientId: undefined,
    envelope: 'acrablock',
    reencryptsToAcraBlock: true,
    dataType: 'str',
    onFail: 'ciphertext',
    defaultValue: undefined,
    searchable: false,
    masking: undefined,
    ...options,
  };
}
