/** The demo's database as RDS has one whose users log in by IAM: the application's user may be it with the role of the instance. */
import type { RunningPostgres } from '../../emulator/postgres/server.ts';
import { type RunningRds, startRds } from '../../emulator/rds/server.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { DemoCertificates } from './certificates.ts';
import { DATABASE_NAME } from './certificates.ts';
import { type Cloud, REGION } from './cloud.ts';
import { APPLICATION } from './database.ts';

/** As clients name it, wherever it listens here. */
const PORT = 5432;

interface RdsParts {
  readonly certificates: DemoCertificates;
  readonly cloud: Cloud;
  readonly postgres: RunningPostgres;
}

export function startDemoRds({ certificates, cloud, postgres }: RdsParts): Promise<RunningRds> {
  const { database, databaseCaPem } = certificates;
  return startRds({
    endpoint: `${DATABASE_NAME}:${PORT}`,
    region: REGION,
    credentials: cloud.credentials,
    clock: systemClock,
    mayConnect: (arn, user) => arn === cloud.roleArn && user === APPLICATION.user,
    certPem: database.certificatePem,
    keyPem: database.privateKeyPem,
    behind: { host: postgres.host, port: postgres.port, caPem: databaseCaPem, serverName: DATABASE_NAME },
    iamUsers: new Map([[APPLICATION.user, APPLICATION.password]]),
  });
}
