/**
 * Starts what serves sessions: acra-server in line (`ingress.tls: passthrough`), or the front with guards and acra-servers behind it
 * (`terminate`). All that is there from the start must listen before the phase ends; whether the database answers is the next phase's.
 */
import { acraListenOf } from '../../../config/enclave.ts';
import { rdsPlaceOf } from '../../../config/rds-iam.ts';
import { DatabaseTokens } from '../../credentials/database-tokens.ts';
import type { ProbeTargets } from '../../health.ts';
import { probeDatabase } from '../../probes/database.ts';
import { probeByEdge } from '../../probes/edge-database.ts';
import { type PostgresIngress, SPARE_PLACES } from '../../routes.ts';
import { AcraFleet } from '../../workloads/acra/fleet.ts';
import { SessionTls } from '../../workloads/acra/session-tls.ts';
import { SessionFleet } from '../../workloads/sessions/fleet.ts';
import type { Workload } from '../../workloads/workload.ts';
import type { Phase, PhaseContext } from '../phase.ts';
import type { AcraStart } from '../start.ts';
import type { Configured } from './configuration.ts';
import { readMeasured } from './configuration.ts';
import type { ControlReady } from './control.ts';
import type { CredentialsReady } from './credentials.ts';
import type { EgressReady } from './egress.ts';
import type { KeystoreReady } from './keystore.ts';
import type { MachineReady } from './machine.ts';
import type { MasterKeyReady } from './master-key.ts';
import type { RequestsReady } from './requests.ts';
import type { TlsKeyKnown } from './tls-key.ts';

export interface AcraReady {
  readonly fleet: Workload;
  readonly probeTargets: ProbeTargets;
  /** Where clients' connections go inside the enclave. */
  readonly ingress: PostgresIngress;
}

type Needs = AcraStart &
  ControlReady &
  MachineReady &
  Configured &
  TlsKeyKnown &
  EgressReady &
  MasterKeyReady &
  KeystoreReady &
  CredentialsReady &
  RequestsReady;

export const acraPhase: Phase<Needs, AcraReady> = {
  name: 'acra',
  deadlineMs: ({ config }) => config.deadlines.acraMs,
  run: (have, context) => (have.config.ingress.tls === 'terminate' ? startSessions : startInLine)(have, context),
};

async function startInLine(
  have: Needs,
  { clock, random, logger, signal, defer, fail }: PhaseContext,
): Promise<AcraReady> {
  const { relay, config, pathOf, databaseAddress, tokensAddress } = have;
  const sessionTls = new SessionTls(() => relay.counters()['ingress']?.opened ?? 0);
  const fleet = new AcraFleet({
    ...have,
    program: have.acraProgram,
    clock,
    random,
    logger,
    onFailure: fail,
    onRecord: (record) => sessionTls.observe(record),
  });
  defer(() => fleet.stop());
  const dialled = () => relay.counters()['database']?.accepted ?? 0;
  const listen = acraListenOf(config);
  await fleet.add({ id: 'acra-server', listen, database: databaseAddress, tokens: tokensAddress, dialled }, signal);
  const { serverName, ca } = config.database;
  const caPem = readMeasured(pathOf(ca)).toString('utf8');
  const database = { target: databaseAddress, serverName, caPem, timeoutMs: config.health.probeTimeoutMs };
  return {
    fleet,
    ingress: { address: listen, endsTls: false },
    probeTargets: {
      database: (probing) => probeDatabase(database, probing),
      members: () => fleet.essential,
      sessionTls,
    },
  };
}

async function startSessions(
  have: Needs,
  { clock, random, logger, signal, defer, fail }: PhaseContext,
): Promise<AcraReady> {
  const { config, pathOf, databaseAddress: address } = have;
  const read = (file: string) => readMeasured(pathOf(file)).toString('utf8');
  const { serverName, ca, minTls } = config.database;
  const databaseTarget = { address, serverName, caPem: read(ca), minTls };
  const rdsPlace = rdsPlaceOf(config);
  const { tables } = have.encryptorConfig;
  const columns = [...tables.values()].flatMap(({ encrypted }) => [...encrypted.values()]);
  const fleet = new SessionFleet({
    ...have,
    program: have.acraProgram,
    serverKey: () => have.tlsKey?.shown.privateKey ?? have.serverKey,
    columnClients: columns.flatMap(({ clientId }) => clientId ?? []),
    tables,
    clientCaPem: read(config.acra.clientCa),
    databaseTarget,
    databaseTokens: rdsPlace && have.keeper && new DatabaseTokens(rdsPlace, have.keeper, clock),
    answerRequest: (request, gone) => have.attestor.answer(request, gone),
    clock,
    random,
    logger,
    onFailure: fail,
  });
  defer(() => fleet.stop());
  await fleet.start(signal);
  const { probeTimeoutMs } = config.health;
  const { maxSessions, maxPending } = config.ingress.limits;
  return {
    fleet,
    ingress: { address: fleet.address, endsTls: true, maxConnections: maxSessions + maxPending + SPARE_PLACES },
    probeTargets: {
      database: (probing) => probeByEdge(databaseTarget, probeTimeoutMs, clock, probing),
      members: () => fleet.essential,
    },
  };
}
