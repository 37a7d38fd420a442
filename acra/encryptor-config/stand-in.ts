/**
 * What the stand-in for acra-server cannot do, told before it is started: it would end with acra-server's own code for a wrong
 * configuration, and the file would be searched for a mistake that is not in it.
 */
import { EncryptorError } from '../errors.ts';
import type { EncryptedColumn, EncryptorConfig } from './schema.ts';

function unableTo({ envelope, masking, dataType, token }: EncryptedColumn, keepsTokens: boolean): string | undefined {
  if (envelope !== 'acrablock') return 'crypto_envelope: acrastruct';
  if (masking) return 'masking';
  if (token) return keepsTokens ? undefined : `token_type: ${token.type}`;
  return dataType === 'int32' || dataType === 'int64' ? `data_type: ${dataType}` : undefined;
}

/** One line for each column that the stand-in cannot protect. @param keepsTokens in its memory, as tests of the guard have it: it knows no Redis */
export function standInProblems({ tables }: EncryptorConfig, keepsTokens = false): string[] {
  return [...tables.values()].flatMap(({ name: table, encrypted }) =>
    [...encrypted.values()].flatMap((column) => {
      const setting = unableTo(column, keepsTokens);
      return setting ? [`table "${table}", column "${column.name}": the stand-in cannot do ${setting}`] : [];
    }),
  );
}

/** @param fileName for the message only. @throws EncryptorError ENCRYPTOR_STAND_IN with all columns */
export function requireStandInCan(config: EncryptorConfig, fileName: string, keepsTokens = false): void {
  const problems = standInProblems(config, keepsTokens);
  if (problems.length === 0) return;
  const lines = problems.map((problem) => `  - ${problem}`).join('\n');
  throw new EncryptorError('ENCRYPTOR_STAND_IN', `${fileName} asks for more than the stand-in can do:\n${lines}`);
}
