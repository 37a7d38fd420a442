/**
 * What `data reencrypt --check --json` prints of one table, and what it takes before old keys may go: for every protected column whose
 * values may be under a client's keys, that none is under an old one.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { EncryptedTable } from '../acra/encryptor-config/schema.ts';
import type { ClientKeyIds } from '../acra/keystore/client-key-ids.ts';
import { KeyError } from './errors.ts';
import { clientKeyIdsShape } from './key-ids-file.ts';

const proofSchema = z.object({
  outcome: z.literal('proved'),
  ...clientKeyIdsShape,
  table: z.string(),
  /** That were looked at. */
  columns: z.array(z.string()).readonly(),
});
export type ReencryptionProof = z.output<typeof proofSchema>;

/** @throws KeyError KEY_PROOF */
export function readProof(file: string): ReencryptionProof {
  try {
    return proofSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new KeyError('KEY_PROOF', `${file} proves nothing`, { cause });
  }
}

type Tables = ReadonlyMap<string, EncryptedTable>;

/** Columns whose values may be in AcraBlocks under this client's keys: between AcraStructs, too, where the configuration was another one before. */
function columnsOf(tables: Tables, clientId: string) {
  return [...tables.values()]
    .flatMap(({ encrypted }) => [...encrypted.values()])
    .filter((column) => (column.clientId ?? clientId) === clientId);
}

/** A proof counts for the keys that the keystore has now. */
function isOf({ clientId, current, old }: ClientKeyIds, proof: ReencryptionProof): boolean {
  return proof.clientId === clientId && proof.current === current && old.every((id) => proof.old.includes(id));
}

/** Whether any column may hold AcraStructs, which do not say which key pair they are for. */
export const hasStructs = (tables: Tables): boolean =>
  [...tables.values()].some(({ encrypted }) =>
    [...encrypted.values()].some(({ envelope }) => envelope === 'acrastruct'),
  );

/** Of keys that Acra’s own tools have rotated: what is under which of the two could not be told. Ours draws again. @throws KeyError KEY_PROOF */
function requireOwnIds(ids: readonly ClientKeyIds[]): void {
  const alike = ids.filter(({ current, old }) => current !== undefined && old.includes(current));
  if (alike.length === 0) return;
  throw new KeyError('KEY_PROOF', 'an old key has the id of the current one', {
    found: alike.map(({ clientId }) => clientId).join(', '),
    action: 'Rotate once more (`acra-enclave keys rotate data`), and encrypt anew: the new key has an id of its own.',
  });
}

/** @throws KeyError KEY_PROOF with all columns that none of the proofs is of */
export function requireProofs(
  ids: readonly ClientKeyIds[],
  tables: Tables,
  proofs: readonly ReencryptionProof[],
): void {
  requireOwnIds(ids);
  const missing = ids.flatMap((client) => {
    const own = proofs.filter((proof) => isOf(client, proof));
    return columnsOf(tables, client.clientId)
      .filter(({ table, name }) => !own.some((proof) => proof.table === table && proof.columns.includes(name)))
      .map(({ table, name }) => `${table}.${name} (client ${client.clientId.slice(0, 16)}…)`);
  });
  if (missing.length === 0) return;
  throw new KeyError('KEY_PROOF', 'old keys may still be needed', { found: `no proof of ${missing.join(', ')}` });
}
