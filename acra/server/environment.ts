/**
 * The whole environment of acra-server apart from the master key. It inherits nothing: GRACEFUL_RESTART makes it exit,
 * AWS_*, VAULT_* and GODEBUG change what it does (acra-server contract 3.4, 7).
 */
import { AcraError } from '../errors.ts';

/** The one variable that acra-server reads the key from, as padded standard base64 (acra-server contract 1.1). */
export const MASTER_KEY_VARIABLE = 'ACRA_MASTER_KEY';

/**
 * Of Go's runtime. In line acra-server runs as Go has it. As an engine it has one short question at a time from each of few connections: with
 * as many processors as there are, Go wakes threads that find nothing to do, and a pair of cells costs it a quarter more and comes a third
 * later; and its default collector of garbage costs it as much again (docs/performance.md). Half of the processors are for guard, front and
 * relay, which run beside it.
 */
export type AcraUse = { readonly kind: 'in-line' } | { readonly kind: 'engine'; readonly processors: number };

export const IN_LINE: AcraUse = { kind: 'in-line' };

/** How much its heap may grow over what is alive before it is collected, in percent; within the soft limit. */
const ENGINE_GC_PERCENT = 1_000;

function runtimeOf(use: AcraUse): Record<string, string> {
  if (use.kind === 'in-line') return {};
  const processors = Math.max(1, Math.floor(use.processors / 2));
  return { GOGC: String(ENGINE_GC_PERCENT), GOMAXPROCS: String(processors) };
}

/**
 * SSL_CERT_FILE and SSL_CERT_DIR point nowhere: acra-server adds the system's roots to the CA of the clients, so that
 * any client certificate of a public CA would pass (acra-server contract 3.2).
 * @param memoryLimitMiB soft limit of the Go heap; below the hard limit of its cgroup or address space. At least 64
 * @throws AcraError ACRA_OPTION_INVALID
 */
export function acraServerEnvironment(memoryLimitMiB: number, use: AcraUse): Record<string, string> {
  if (!Number.isInteger(memoryLimitMiB) || memoryLimitMiB < 64) {
    throw new AcraError('ACRA_OPTION_INVALID', 'the memory limit of acra-server is too small', {
      found: String(memoryLimitMiB),
      allowed: 'a whole number of MiB, at least 64',
    });
  }
  return {
    GOMEMLIMIT: `${memoryLimitMiB}MiB`,
    ...runtimeOf(use),
    SSL_CERT_FILE: '/dev/null',
    SSL_CERT_DIR: '/nonexistent',
  };
}
