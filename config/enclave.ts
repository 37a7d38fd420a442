/**
 * `enclave.yaml`: what runs in the enclave. It is part of the enclave image, so every value here is measured and a
 * changed byte changes PCR0; nothing in it can be overridden by the parent. Paths are relative to the file's folder.
 */
import { z } from 'zod';
import type { TcpEndpoint, UnixEndpoint } from '../wire/endpoint.ts';
import { ROUTES } from '../wire/routes.ts';
import { databaseLoginFields, ingressSection, loginFaults, secretFaults, withSecretPlaces } from './database-login.ts';
import { engineMemoryFault } from './engine-memory.ts';
import {
  address,
  certifiedName,
  count,
  DATABASE_HEADROOM,
  dialledAddress,
  durationMs,
  fileInFolder,
  routeLimits,
} from './fields.ts';
import { guardSection, isGiven } from './guard.ts';
import { keysFaults, keysSection } from './keys.ts';
import { kmsSection } from './kms.ts';
import { leaseSection } from './lease.ts';
import { rdsIamFaults } from './rds-iam.ts';
import { portTable } from './route-fields.ts';
import {
  type EntropySection,
  enclaveName,
  entropySection,
  healthSection,
  imdsSection,
  restartSection,
} from './supervision.ts';
import { serverKeyFields, tlsFaults, tlsSection } from './tls.ts';
import { tokensFault, tokensSection } from './tokens.ts';

/** What the program that launches acra-server takes itself, and then some. */
const MIN_ACRA_MEMORY_MIB = 128;
const MIN_ACRA_TASKS = 64;

const acra = z
  .strictObject({
    listen: dialledAddress('tcp', 'unix')
      .optional()
      .describe(
        'with ingress.tls: passthrough, where acra-server listens inside the enclave (loopback or a unix socket); default: tcp://127.0.0.1:9393',
      ),
    encryptorConfig: fileInFolder.prefault('encryptor.yaml').describe("Acra's encryptor configuration"),
    keystore: fileInFolder.prefault('keystore').describe('keystore v1, sealed under the master key'),
    clientCa: fileInFolder.prefault('tls/client-ca.pem').describe('CA of client certificates'),
    ...serverKeyFields,
    clientIdFrom: z.enum(['distinguished_name', 'serial_number']).default('distinguished_name'),
    tokens: tokensSection,
    censorConfig: fileInFolder
      .optional()
      .describe('with ingress.tls: passthrough, the configuration of AcraCensor, which refuses statements'),
    poisonDetection: z.boolean().default(true),
    memoryLimitMiB: count(256, 1024 * 1024).describe("acra-server's soft memory limit (GOMEMLIMIT)"),
    maxMemoryMiB: count(768, 1024 * 1024, MIN_ACRA_MEMORY_MIB).describe(
      'what it is ended at (cgroup memory.max); above the soft limit',
    ),
    maxRunning: z
      .int()
      .min(1)
      .max(10_000)
      .optional()
      .describe(
        'acra-servers at once, one for each client identity that has sessions, with its guard; default: as memory allows',
      ),
    maxTasks: count(512, 100_000, MIN_ACRA_TASKS).describe('processes and threads that it may have (cgroup pids.max)'),
  })
  .refine(({ memoryLimitMiB, maxMemoryMiB }) => memoryLimitMiB < maxMemoryMiB, {
    error: 'memoryLimitMiB must be below maxMemoryMiB: the soft limit comes before the end',
  });

const database = z
  .strictObject({
    serverName: certifiedName.describe(
      "the subject alternative name of the database's certificate: DNS name or IP address",
    ),
    ca: fileInFolder.prefault('tls/database-ca.pem').describe("CA of the database's certificate"),
    listen: address('tcp').prefault('tcp://127.0.0.1:5432').describe('where acra-server finds the database'),
    ...databaseLoginFields,
  })
  .superRefine((section, context) => {
    for (const { path, message } of secretFaults(section))
      context.addIssue({ code: 'custom', path: [...path], message });
  })
  .transform(withSecretPlaces);

const deadlines = z
  .strictObject({
    egressMs: durationMs(10_000),
    credentialsMs: durationMs(300_000),
    kmsEntropyMs: durationMs(300_000),
    keySetMs: durationMs(86_400_000).describe(
      'with keys.source: parent, how long a boot waits for a key set, and for the people who hold a ceremony',
    ),
    masterKeyMs: durationMs(300_000),
    keystoreMs: durationMs(30_000),
    acraMs: durationMs(60_000),
    readyMs: durationMs(600_000).describe('includes patience with a database that is down'),
  })
  .prefault({})
  .describe(
    'how long each boot phase after this file is read may take; one that waits for something outside retries until then',
  );

function entropyFaults({ entropy, kms }: { readonly entropy: EntropySection; readonly kms?: unknown }) {
  if (kms !== undefined || entropy.kms === undefined || entropy.kms === 'off') return [];
  return [{ path: ['entropy', 'kms'], message: 'must be off or left out without section kms' }];
}

export const enclaveSchema = z
  .strictObject({
    version: z.literal(1),
    workload: z
      .literal('acra', { error: 'must be acra, or left out: here only an enclave with Acra is meant' })
      .optional(),
    name: enclaveName,
    ingress: ingressSection,
    tls: tlsSection,
    guard: guardSection,
    acra: acra.prefault({}),
    database,
    kms: kmsSection.optional().describe('the KMS key; left out only where operators keep the keys (keys.keeper)'),
    keys: keysSection,
    lease: leaseSection,
    imds: imdsSection,
    entropy: entropySection,
    ports: portTable(ROUTES),
    ingressLimits: routeLimits().describe('sessions of applications'),
    egressLimits: routeLimits(DATABASE_HEADROOM).describe(
      'connections to the database: one for each session, and more',
    ),
    deadlines,
    restart: restartSection,
    health: healthSection,
  })
  .superRefine(({ ingress, tls, guard, acra, database, keys, kms, entropy }, context) => {
    const { clientIdFrom, listen } = acra;
    for (const { path, message } of [
      ...loginFaults({ ingress, database, clientIdFrom }),
      ...rdsIamFaults({ database, kms }),
      ...tlsFaults({ ingress, tls, acra }),
      ...keysFaults({ keys, tls, ingress, database, kms }),
      ...entropyFaults({ entropy, kms }),
    ]) {
      context.addIssue({ code: 'custom', path: [...path], message });
    }
    const tokenFault = tokensFault(acra.tokens, ingress);
    if (tokenFault !== undefined)
      context.addIssue({ code: 'custom', path: ['acra', 'tokens', 'unreachable'], message: tokenFault });
    if (ingress.tls === 'passthrough') {
      const message = 'must be left out with ingress.tls: passthrough: acra-server reads the statements itself';
      if (isGiven(guard)) context.addIssue({ code: 'custom', path: ['guard'], message });
      return;
    }
    const memoryFault = engineMemoryFault({ ...ingress.limits, ...acra });
    if (memoryFault !== undefined)
      context.addIssue({ code: 'custom', path: ['acra', 'maxMemoryMiB'], message: memoryFault });
    if (acra.censorConfig !== undefined) {
      const told =
        'must be left out with ingress.tls: terminate: acra-server sees no statements, and the guard judges them';
      context.addIssue({ code: 'custom', path: ['acra', 'censorConfig'], message: told });
    }
    if (listen === undefined) return;
    const message = 'must be left out with ingress.tls: terminate: no client is connected to acra-server';
    context.addIssue({ code: 'custom', path: ['acra', 'listen'], message });
  })
  .superRefine(({ ingressLimits, egressLimits }, context) => {
    const neededConnections = ingressLimits.maxConnections + DATABASE_HEADROOM;
    if (egressLimits.maxConnections >= neededConnections) return;
    context.addIssue({
      code: 'custom',
      path: ['egressLimits', 'maxConnections'],
      message: `must be at least ${neededConnections}: ingressLimits.maxConnections, and ${DATABASE_HEADROOM} for the health probe`,
    });
  })
  .describe('enclave.yaml: what runs in the enclave; measured');

/** `acra.listen`, or what it is when it is not stated. */
export function acraListenOf({ acra }: Pick<EnclaveConfig, 'acra'>): TcpEndpoint | UnixEndpoint {
  return acra.listen ?? { kind: 'tcp', host: '127.0.0.1', port: 9393 };
}

export type EnclaveConfig = z.output<typeof enclaveSchema>;
