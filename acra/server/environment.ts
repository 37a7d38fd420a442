/**
 * The whole environment of acra-server apart from the master key. It inherits nothing: GRACEFUL_RESTART makes it exit,
 * AWS_*, VAULT_* and GODEBUG change what it does (acra-server contract 3.4, 7).
 */
import { AcraError } from '../errors.ts';

/** The one variable that acra-server reads the key from, as padded standard base64 (acra-server contract 1.1). */
export const MASTER_KEY_VARIABLE = 'ACRA_MASTER_KEY';

interface AcraServerLimits {
  /** Soft limit of the Go heap; below the hard limit of its cgroup or address space. At least 64. */
  readonly memoryLimitMiB: number;
  /**
   * How much its heap may grow over what is alive before it is collected, in percent; Go's default is 100. As an engine a tenth of its time
   * is won by 1000, within the soft limit.
   */
  readonly gcPercent?: number;
}

/**
 * SSL_CERT_FILE and SSL_CERT_DIR point nowhere: acra-server adds the system's roots to the CA of the clients, so that
 * any client certificate of a public CA would pass (acra-server contract 3.2).
 * @throws AcraError ACRA_OPTION_INVALID
 */
export function acraServerEnvironment(limits: AcraServerLimits): Record<string, string> {
  const { memoryLimitMiB, gcPercent } = limits;
  if (!Number.isInteger(memoryLimitMiB) || memoryLimitMiB < 64) {
    throw new AcraError('ACRA_OPTION_INVALID', 'the memory limit of acra-server is too small', {
      found: String(memoryLimitMiB),
      allowed: 'a whole number of MiB, at least 64',
    });
  }
  return {
    GOMEMLIMIT: `${memoryLimitMiB}MiB`,
    ...(gcPercent === undefined ? {} : { GOGC: String(gcPercent) }),
    SSL_CERT_FILE: '/dev/null',
    SSL_CERT_DIR: '/nonexistent',
  };
}
