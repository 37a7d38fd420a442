/**
 * The command line of acra-server as an engine (acra/engine/): no TLS on either leg, both of which lead to us, and one identity
 * (acra-server contract 2.4). Never beside a client CA: with both, whoever strips TLS would be that identity.
 */
import { AcraError } from '../errors.ts';
import { CLIENT_ID_FORM, isClientId } from '../keystore/layout.ts';
import { assembleArguments } from './command-line.ts';
import type { AcraEngineOptions } from './options.ts';

/** @throws AcraError ACRA_OPTION_INVALID for what acra-server would misread */
export function acraEngineArguments(options: AcraEngineOptions): string[] {
  const { clientId } = options;
  if (!isClientId(clientId)) {
    throw new AcraError('ACRA_OPTION_INVALID', 'the client id is not one', {
      found: clientId,
      allowed: CLIENT_ID_FORM,
    });
  }
  return assembleArguments(options, [
    ['tls_client_id_from_cert', 'false'],
    ['client_id', clientId],
  ]);
}
