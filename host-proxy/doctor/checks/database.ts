/** Whether PostgreSQL can be reached and speaks TLS: the enclave refuses a database that does not. Source: PostgreSQL, SSLRequest. */
import { formatEndpoint } from '../../../wire/endpoint.ts';
import type { Check } from '../check.ts';
import { failure, ok, skipped } from '../check.ts';

export const databaseCheck: Check = {
  name: 'database',
  checked: 'PostgreSQL answers and offers TLS',
  advice: 'Is the database running, and `database.connect` right? Let its security group accept this instance.',
  async examine({ config, system, signal }) {
    if (config.workload === 'app') return skipped('host-proxy.yaml is for an enclave without Acra');
    const where = formatEndpoint(config.database.connect);
    const answer = await system.postgresTlsAnswer(config.database.connect, signal);
    if (answer === 'S') return ok(`${where} offers TLS`);
    if (answer !== 'N') return failure(`${where} is not PostgreSQL`, 'Mend `database.connect`.');
    return failure(
      `${where} refuses TLS`,
      'Switch it on (`ssl = on`; RDS: `rds.force_ssl = 1`): the enclave sends nothing in clear.',
    );
  },
};
