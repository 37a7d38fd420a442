/**
 * The ids of clients' keys as commands print them and others read them: by these a stored value tells which key it is under (acra-server
 * contract 9.1). They are no secret, for every stored value has one in clear; who changes them makes a proof worthless.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { ClientKeyIds } from '../acra/keystore/client-key-ids.ts';
import { KeyError } from './errors.ts';

const keyIdSchema = z.string().regex(/^[0-9a-f]{4}$/);

export const clientKeyIdsShape = {
  clientId: z.string(),
  current: keyIdSchema,
  old: z.array(keyIdSchema).readonly(),
};

const fileSchema = z.object({ version: z.literal(1), clients: z.array(z.object(clientKeyIdsShape)) });

/** Ids of a client that has a key. */
export type KnownKeyIds = z.output<z.ZodObject<typeof clientKeyIdsShape>>;

/** What `--json` prints. Clients without a symmetric key are left out. */
export function keyIdsDocument(ids: readonly ClientKeyIds[]): z.input<typeof fileSchema> {
  const clients = ids.flatMap(({ clientId, current, old }) =>
    current === undefined ? [] : { clientId, current, old },
  );
  return { version: 1, clients };
}

/** @throws KeyError KEY_IDS_FILE */
export function readKeyIds(file: string): readonly KnownKeyIds[] {
  try {
    return fileSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).clients;
  } catch (cause) {
    throw new KeyError('KEY_IDS_FILE', `${file} does not hold ids of keys`, { cause });
  }
}
