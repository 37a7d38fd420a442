/**
 * `database.login: rds-iam`: RDS (or Aurora) asks IAM about a token that the enclave signs with the credentials of its role. What the token
 * is made for is measured: the database's own name, its port and its region.
 * Specification: Amazon RDS User Guide, "IAM database authentication for MariaDB, MySQL, and PostgreSQL"; the names of its hosts in
 * "Finding the connection information for an RDS for PostgreSQL DB instance".
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { parseKeyArn, partitionOf, REGION } from './aws-names.ts';
import { type DatabaseLogin, loginOf } from './user-secrets.ts';

const DEFAULT_PORT = 5432;
/** `NAME.ACCOUNT.REGION.rds.amazonaws.com`; a cluster’s, a reader’s and a proxy’s too. In China `NAME.ACCOUNT.rds.REGION.amazonaws.com.cn`. */
const RDS_HOSTS = [/\.([a-z]{2,}(?:-[a-z]+)+-\d{1,2})\.rds\.(.+)$/, /\.rds\.(cn-[a-z]+-\d{1,2})\.(.+)$/];

export const rdsIamSection = z
  .strictObject({
    region: z
      .string()
      .regex(REGION, { error: 'must be a region such as eu-central-1' })
      .optional()
      .describe('of the database; default: what its name says, else that of the KMS key'),
    port: z
      .int()
      .min(1)
      .max(65_535)
      .default(DEFAULT_PORT)
      .describe('of the database itself, whatever the parent dials: the token is made for name and port'),
  })
  .prefault({})
  .describe('with login: rds-iam, what tokens are made for, beside database.serverName');

interface RdsSections {
  readonly database: {
    readonly serverName: string;
    readonly login?: DatabaseLogin | undefined;
    readonly rdsIam: z.output<typeof rdsIamSection>;
  };
  readonly kms?: { readonly keyArn: string } | undefined;
}

interface Fault {
  readonly path: readonly string[];
  readonly message: string;
}

/** What RDS checks a token against. */
export interface RdsPlace {
  /** As the certificate and the token name it. */
  readonly host: string;
  readonly port: number;
  readonly region: string;
}

/** undefined for a name that is none of RDS: of a stand-in, say. */
function regionInName(serverName: string): string | undefined {
  const name = serverName.toLowerCase();
  const [, region, suffix] = RDS_HOSTS.map((form) => form.exec(name)).find((found) => found !== null) ?? [];
  return region !== undefined && suffix === partitionOf(region).dnsSuffix ? region : undefined;
}

function regionOf({ database, kms }: RdsSections): string | undefined {
  const ofKey = kms === undefined ? undefined : parseKeyArn(kms.keyArn)?.region;
  return database.rdsIam.region ?? regionInName(database.serverName) ?? ofKey;
}

export function usesRdsIam({ database }: { readonly database: Pick<RdsSections['database'], 'login'> }): boolean {
  return loginOf(database) === 'rds-iam';
}

/** What is allowed, and gives something up (docs/threat-model.md). */
export function rdsIamWarnings(sections: Parameters<typeof usesRdsIam>[0]): string[] {
  return usesRdsIam(sections)
    ? ['database.login is rds-iam: whoever has the role of the parent instance logs in to the database as its users']
    : [];
}

/** undefined with every other login. */
export function rdsPlaceOf(sections: RdsSections): RdsPlace | undefined {
  const region = regionOf(sections);
  if (!usesRdsIam(sections) || region === undefined) return undefined;
  const { serverName, rdsIam } = sections.database;
  return { host: serverName.toLowerCase(), port: rdsIam.port, region };
}

export function rdsIamFaults(sections: RdsSections): readonly Fault[] {
  const { serverName, rdsIam } = sections.database;
  if (!usesRdsIam(sections)) {
    const isStated = rdsIam.region !== undefined || rdsIam.port !== DEFAULT_PORT;
    return isStated ? [{ path: ['database', 'rdsIam'], message: 'is for database.login: rds-iam only' }] : [];
  }
  const region = regionInName(serverName);
  const faults: Fault[] = [];
  if (isIP(serverName) !== 0)
    faults.push({ path: ['database', 'serverName'], message: 'must be the name of the database with login: rds-iam' });
  if (region !== undefined && rdsIam.region !== undefined && rdsIam.region !== region)
    faults.push({
      path: ['database', 'rdsIam', 'region'],
      message: `must be ${region}, as database.serverName says; it can be left out`,
    });
  if (regionOf(sections) === undefined)
    faults.push({
      path: ['database', 'rdsIam', 'region'],
      message: 'must be given: neither name nor KMS key tells it',
    });
  return faults;
}
