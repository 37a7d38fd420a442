/** `acra.tokens` of enclave.yaml: where acra-server keeps tokens of tokenized columns, a Redis that it reaches by TLS (docs/tokens.md). */
import { z } from 'zod';
import { address, certifiedName, fileInFolder } from './fields.ts';

/** Redis has 16 unless its configuration says otherwise. */
const MAX_DATABASE = 1_000;

export const tokensSection = z
  .strictObject({
    listen: address('tcp')
      .prefault('tcp://127.0.0.1:16379')
      .describe('where acra-server finds the way to it inside the enclave; an IPv4 loopback address'),
    serverName: certifiedName.describe('the name that its certificate must carry'),
    ca: fileInFolder.prefault('tls/tokens-ca.pem').describe('CA of its certificate'),
    unreachable: z
      .literal('plaintext')
      .optional()
      .describe(
        'with ingress.tls: passthrough, what becomes of values that come while Redis cannot be reached; to be written so that nobody overlooks it',
      ),
    database: z.int().min(0).max(MAX_DATABASE).default(0).describe('number of the Redis database'),
  })
  .optional()
  .describe(
    'a Redis where the tokens of columns with token_type are kept; host-proxy.yaml says where it is (section tokens)',
  );

/** Who keeps Redis away gains plaintext of acra-server in line, and nothing of the guard. */
export function tokensFault(
  tokens: z.output<typeof tokensSection>,
  { tls }: { readonly tls: 'terminate' | 'passthrough' },
): string | undefined {
  if (tokens === undefined || (tls === 'passthrough') === (tokens.unreachable !== undefined)) return undefined;
  return tls === 'passthrough'
    ? 'must say plaintext, and so that it is accepted: while acra-server cannot reach Redis, a statement stores its values as they are, ' +
        'until the supervisor has ended acra-server for it; the parent can bring that about (docs/tokens.md)'
    : 'must be left out with ingress.tls: terminate: the guard fails a statement whose values get no tokens';
}
