/** A user of the database, as a command line names one: it must be one of enclave.yaml. */

import { KeyError } from '../../keys/errors.ts';
import { keysContext } from '../keys-context.ts';

/** @throws KeyError KEY_DATABASE_USER; ConfigError */
export function requireDatabaseUser(enclave: string, user: string): void {
  const names = keysContext(enclave).config.database.users.map(({ name }) => name);
  if (names.includes(user)) return;
  throw new KeyError('KEY_DATABASE_USER', 'enclave.yaml has no such user of the database', {
    found: user,
    allowed: names.join(', ') || 'none: there is no database.users',
  });
}
