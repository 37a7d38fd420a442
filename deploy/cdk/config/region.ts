/** One region of a deployment: its network, clients, database, fleet and the image that the fleet runs. */
import { z } from 'zod';
import {
  hostName,
  network,
  port,
  prefixList,
  regionName,
  sha256,
  transitGateway,
  vpcNetwork,
  zoneName,
} from './fields.ts';
import { INSTANCE_TYPES } from './instance-types.ts';

const MAX_ZONES = 3;
const MAX_INSTANCES = 50;
/** A life-cycle hook waits for two hours at most, and what surrounds draining takes some minutes of that. */
const MAX_DRAIN_SECONDS = 3_600;

const file = z.string().min(1).describe('a path, relative to the folder of this file');

const image = z
  .strictObject({
    measurements: file.describe('measurements.json of the image that the fleet runs'),
    enclave: file.describe('its measured folder, with enclave.yaml'),
    alsoInPolicy: z
      .array(file)
      .max(5)
      .default([])
      .describe('measurements of further images that may decrypt, while one takes the place of another'),
    release: z
      .strictObject({ sha256 })
      .describe('what `make install DESTDIR=…` made, packed, in the bucket of artifacts as releases/SHA256.tar.gz'),
  })
  .describe('left out before there is an image: then the key opens for nobody, and no fleet is made');

const fleet = z
  .strictObject({
    instanceType: z
      .string()
      .default('c6a.xlarge')
      .refine((type) => INSTANCE_TYPES.includes(type), {
        error: `must be one of: ${INSTANCE_TYPES.join(', ')}`,
      }),
    minInstances: z.int().min(1).max(MAX_INSTANCES).default(1),
    maxInstances: z.int().min(1).max(MAX_INSTANCES).default(2),
    tenancy: z
      .enum(['default', 'dedicated'])
      .default('default')
      .describe('dedicated: on hardware of this account alone'),
    enclaveCpus: z.int().min(1).max(14).default(2).describe('whole cores: an even number but on Graviton'),
    enclaveMemoryMiB: z.int().min(512).max(120_000).default(3_072),
    drainSeconds: z
      .int()
      .min(10)
      .max(MAX_DRAIN_SECONDS)
      .default(300)
      .describe('how long sessions may finish on an instance that goes'),
  })
  .prefault({});

const MAX_IAM_USERS = 100;
/** As the resource of an IAM policy takes it: no wildcard, no variable. */
const databaseUser = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/, {
  error: 'must be a user of the database, of letters, digits, dots, dashes and underscores',
});

const managedDatabase = {
  engineVersion: z.string().regex(/^1[3-8]\.\d{1,2}$/, { error: 'must be MAJOR.MINOR, such as 17.6' }),
  instanceClass: z.string().regex(/^db\.[a-z0-9]+\.[a-z0-9]+$/, { error: 'must be a class, such as db.m6g.large' }),
  port: port(5433).describe('not the usual one, which scanners look for'),
  backupDays: z.int().min(1).max(35).default(14),
  administeredFrom: z
    .array(network)
    .max(20)
    .default([])
    .describe(
      'from where people reach the database itself, to make its users and tables: by clients.routedBy; take them out afterwards',
    ),
  iamUsers: z
    .array(databaseUser)
    .max(MAX_IAM_USERS)
    .default([])
    .describe('whom the parents’ role may be in the database: those of enclave.yaml with database.login: rds-iam'),
};

const database = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('rds').describe('PostgreSQL on RDS, with a standby in another zone'),
      ...managedDatabase,
      storageGib: z.int().min(20).max(65_536).default(100),
    }),
    z.strictObject({
      kind: z.literal('aurora').describe('Aurora PostgreSQL, one writer and a reader in each further zone'),
      ...managedDatabase,
    }),
    z.strictObject({
      kind: z.literal('external').describe('PostgreSQL elsewhere, such as Cloud SQL, by a transit gateway'),
      host: hostName,
      port: port(5432),
      networks: z.array(network).min(1).max(20).describe('where its addresses are: the only way out of the VPC'),
      transitGateway: transitGateway.describe('through which they are reached; its own routes are not made here'),
      networkFirewall: z
        .boolean()
        .default(false)
        .describe('an AWS Network Firewall in this way, which lets nothing but the database’s port through'),
    }),
  ])
  .describe('what sessions are for');

export const region = z.strictObject({
  region: regionName,
  zones: z
    .array(zoneName)
    .min(1)
    .max(MAX_ZONES)
    .describe('in this order for ever: subnets are cut by it. More may be added behind'),
  network: z.strictObject({
    cidr: vpcNetwork,
    s3PrefixList: prefixList.describe(
      'of S3 in this region: aws ec2 describe-managed-prefix-lists --filters Name=prefix-list-name,Values=com.amazonaws.REGION.s3',
    ),
  }),
  clients: z.strictObject({
    networks: z.array(network).min(1).max(50).describe('who may connect to the load balancer'),
    port: port(5432),
    routedBy: transitGateway.optional().describe('the transit gateway by which clients outside of the VPC are reached'),
  }),
  database,
  fleet,
  image: image.optional(),
});

export type RegionConfig = z.output<typeof region>;
export type DatabaseConfig = RegionConfig['database'];
export type ImageConfig = z.output<typeof image>;
