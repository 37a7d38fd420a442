/** A managed PostgreSQL that only the fleet reaches: forced TLS, encrypted, in two zones or more, its password kept by RDS itself. */
import { CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import {
  CfnDBCluster,
  CfnDBClusterParameterGroup,
  CfnDBInstance,
  CfnDBParameterGroup,
  CfnDBSubnetGroup,
} from 'aws-cdk-lib/aws-rds';
import type { Construct } from 'constructs';
import { partitionOf } from '../../../config/aws-names.ts';
import type { KnownRegion } from '../config/read.ts';
import type { DatabaseConfig } from '../config/region.ts';
import { DATABASE_CA, DATABASE_PARAMETERS, majorOf } from '../parts/database-parameters.ts';
import { subnetsOf } from '../parts/network.ts';
import type { FoundationStack } from './foundation.ts';

type ManagedDatabase = Exclude<DatabaseConfig, { kind: 'external' }>;
type Rds = Extract<DatabaseConfig, { kind: 'rds' }>;
type Aurora = Extract<DatabaseConfig, { kind: 'aurora' }>;

const ADMINISTRATOR = 'acra_administrator';
/** Storage grows by itself up to so many times its first size. */
const GROWTH = 10;
/** Of the log of performance, the longest that costs nothing. */
const INSIGHT_DAYS = 7;

/** IAM takes 6,144 characters a managed policy, and a user of the database is up to 170 of them (IAM and STS quotas). */
const USERS_OF_POLICY = 30;

export interface DatabaseProps extends StackProps {
  readonly foundation: FoundationStack;
  readonly region: KnownRegion;
  readonly database: ManagedDatabase;
}

export class DatabaseStack extends Stack {
  /** As clients name it, and its certificate too. */
  readonly host: string;

  constructor(scope: Construct, id: string, props: DatabaseProps) {
    super(scope, id, props);
    const { database } = props;
    this.host = database.kind === 'rds' ? this.#instance(props, database) : this.#cluster(props, database);
    new CfnOutput(this, 'DatabaseHost', { value: this.host });
  }

  #shared({ foundation, database }: DatabaseProps) {
    const subnets = new CfnDBSubnetGroup(this, 'Subnets', {
      dbSubnetGroupDescription: 'subnets of the database alone',
      subnetIds: subnetsOf(foundation.vpc, 'database').map(({ subnetId }) => subnetId),
    });
    return {
      dbSubnetGroupName: subnets.ref,
      engineVersion: database.engineVersion,
      port: database.port,
      masterUsername: ADMINISTRATOR,
      manageMasterUserPassword: true,
      masterUserSecret: { kmsKeyId: foundation.operationsKey.keyArn },
      storageEncrypted: true,
      kmsKeyId: foundation.operationsKey.keyArn,
      backupRetentionPeriod: database.backupDays,
      copyTagsToSnapshot: true,
      deletionProtection: true,
      enableCloudwatchLogsExports: ['postgresql'],
    };
  }

  #instance(props: DatabaseProps, { engineVersion, instanceClass, port, storageGib }: Rds): string {
    const { groups, operationsKey } = props.foundation;
    const parameters = new CfnDBParameterGroup(this, 'Parameters', {
      family: `postgres${majorOf(engineVersion)}`,
      description: 'TLS and SCRAM or nothing',
      parameters: DATABASE_PARAMETERS,
    });
    const instance = new CfnDBInstance(this, 'Database', {
      ...this.#shared(props),
      port: String(port),
      engine: 'postgres',
      dbInstanceClass: instanceClass,
      dbParameterGroupName: parameters.ref,
      allocatedStorage: String(storageGib),
      maxAllocatedStorage: storageGib * GROWTH,
      storageType: 'gp3',
      multiAz: true,
      publiclyAccessible: false,
      caCertificateIdentifier: DATABASE_CA,
      autoMinorVersionUpgrade: true,
      enablePerformanceInsights: true,
      performanceInsightsKmsKeyId: operationsKey.keyArn,
      performanceInsightsRetentionPeriod: INSIGHT_DAYS,
      vpcSecurityGroups: groups.database === undefined ? [] : [groups.database.securityGroupId],
      ...(props.database.iamUsers.length > 0 && { enableIamDatabaseAuthentication: true }),
    });
    this.#letRoleIn(props, instance.attrDbiResourceId);
    instance.applyRemovalPolicy(RemovalPolicy.SNAPSHOT);
    return instance.attrEndpointAddress;
  }

  /** Whoever has root on a parent can be these users too, and sees ciphertext (docs/threat-model.md). */
  #letRoleIn({ foundation, database, region }: DatabaseProps, resourceId: string): void {
    const { name } = partitionOf(region.region);
    const users = database.iamUsers.map(
      (user) => `arn:${name}:rds-db:${this.region}:${this.account}:dbuser:${resourceId}/${user}`,
    );
    for (let from = 0; from < users.length; from += USERS_OF_POLICY)
      new ManagedPolicy(this, `ParentLogins${from === 0 ? '' : from}`, {
        description: 'Users of the database that an enclave logs in as, by tokens of the role of its parent',
        roles: [foundation.parent.role],
        statements: [
          new PolicyStatement({ actions: ['rds-db:connect'], resources: users.slice(from, from + USERS_OF_POLICY) }),
        ],
      });
  }

  #cluster(props: DatabaseProps, { engineVersion, instanceClass }: Aurora): string {
    const { groups } = props.foundation;
    const parameters = new CfnDBClusterParameterGroup(this, 'Parameters', {
      family: `aurora-postgresql${majorOf(engineVersion)}`,
      description: 'TLS and SCRAM or nothing',
      parameters: DATABASE_PARAMETERS,
    });
    const cluster = new CfnDBCluster(this, 'Database', {
      ...this.#shared(props),
      engine: 'aurora-postgresql',
      dbClusterParameterGroupName: parameters.ref,
      vpcSecurityGroupIds: groups.database === undefined ? [] : [groups.database.securityGroupId],
      // Without database.iamUsers no role gets rds-db:connect: logins are by password, which the parent does not have.
      enableIamDatabaseAuthentication: true,
    });
    this.#letRoleIn(props, cluster.attrDbClusterResourceId);
    cluster.applyRemovalPolicy(RemovalPolicy.SNAPSHOT);
    for (const index of props.region.zones.keys()) {
      new CfnDBInstance(this, `Database${index}`, {
        engine: 'aurora-postgresql',
        dbClusterIdentifier: cluster.ref,
        dbInstanceClass: instanceClass,
        publiclyAccessible: false,
        caCertificateIdentifier: DATABASE_CA,
        autoMinorVersionUpgrade: true,
        promotionTier: index,
      });
    }
    return cluster.attrEndpointAddress;
  }
}
