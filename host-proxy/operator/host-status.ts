/**
 * How the parent's daemon and its enclave are, as one document: `/status` serves it, `acra-enclave status --json` prints it, the demo
 * and the tests read it. What the enclave says of itself stands in it as it came over the wire (wire/control/messages.ts).
 */
import { z } from 'zod';
import { GUARD_MODES, GUARD_RELATIONS } from '../../config/guard.ts';
import { CERTIFICATE_ROLES } from '../../wire/certificate-end.ts';
import { bootPhase, ENCLAVE_STATES, enclaveStatus, identity } from '../../wire/control/messages.ts';
import { keysStatus } from '../keys/keys-status.ts';
import { STAGES } from '../machine/status.ts';
import { alarm } from './alarms/alarm-board.ts';
import { figures } from './figures.ts';

/** Why something is not as it should be. `code` is one of docs/errors.md, of whichever end found it. */
const reason = z.object({ code: z.string().nullable(), message: z.string() });
export type Reason = z.infer<typeof reason>;

const machine = z.object({
  /** Where the life cycle of the machine is. */
  stage: z.enum(STAGES),
  stageSinceMs: z.int(),
  driver: z.enum(['nitro-cli', 'qemu']),
  debug: z.boolean(),
  id: z.string().nullable(),
  cid: z.int(),
  image: z.string(),
  restarts: z.int(),
  /** How the last one ended; `reported` is what it said of itself before. `code` is null when it ended in order. */
  lastEnd: z
    .object({ atMs: z.int(), code: z.string().nullable(), reason: z.string(), reported: reason.nullable() })
    .nullable(),
});
export type MachineStatus = z.infer<typeof machine>;

/** Connections that the public ports close for a limit, or to make room for others (enclave/shed-alarm.ts). */
const shedding = z.object({
  active: z.boolean(),
  /** Since when without a pause; null while not. */
  sinceMs: z.int().nullable(),
  /** Connections since the daemon began. */
  total: z.int(),
});
export type SheddingStatus = z.infer<typeof shedding>;

/** Where anybody may ask over HTTP what the enclave is, and how such requests ended since the daemon began, by HTTP's status. */
const attestation = z.object({ address: z.string(), answers: z.record(z.string(), z.int()) });
export type AttestationStatus = z.infer<typeof attestation>;

/** HTTP egress of an application: connections that are open, and requests since the daemon began, by what became of them. */
const egress = z.object({ open: z.int(), outcomes: z.record(z.string(), z.int()) });
export type EgressStatus = z.infer<typeof egress>;

export const hostStatus = z.object({
  /** Of the daemon. */
  release: z.string(),
  processId: z.int(),
  startedMs: z.int(),
  /** When this was so, by the daemon's clock. */
  nowMs: z.int(),
  /** What the enclave says of itself, as far as that can still be true. */
  state: z.enum([...ENCLAVE_STATES, 'unknown', 'lost']),
  /** Applications can connect, and their sessions work. */
  ready: z.boolean(),
  /** Why not; null when ready, and while state and phase of an enclave that is heard say all of it. Never null when it is not heard. */
  reason: reason.nullable(),
  connected: z.boolean(),
  /** Since the last sign of life of the enclave; null before the first. */
  silentMs: z.int().nullable(),
  publicAddress: z.string().nullable(),
  shedding,
  /** Null where host-proxy.yaml has no such section. */
  attestation: attestation.nullable(),
  /** The same. */
  egress: egress.nullable(),
  enclave: enclaveStatus.nullable(),
  /** Of the boot that was heard of last, in order; empty until the enclave has told. */
  boot: z.array(bootPhase),
  bootId: z.string().nullable(),
  enclaveRelease: z.string().nullable(),
  simulated: z.boolean().nullable(),
  /** As the enclave tells them: informative, evidence only inside an attestation document. */
  measurements: z.record(z.string(), z.string()).nullable(),
  acraServer: z.string().nullable(),
  /** When those of the measured folder end; `ending` is within 30 days. Empty until the enclave has told. */
  certificates: z.array(
    z.object({
      certificate: z.enum(CERTIFICATE_ROLES),
      endsMs: z.int(),
      life: z.enum(['valid', 'ending', 'expired']),
    }),
  ),
  /** What the measured configuration has the guard do; null until the enclave has told, and where there is none. */
  guard: z
    .object({
      mode: z.enum(GUARD_MODES),
      relations: z.enum(GUARD_RELATIONS),
      migrations: z.array(z.object({ table: z.string(), column: z.string() })),
    })
    .nullable(),
  /** The client identities that are served; null until the enclave has told, and where clients have none. */
  identities: z.object({ known: z.int(), running: z.int(), listed: z.array(identity) }).nullable(),
  figures,
  /** What needs somebody now, what pages first. */
  alarms: z.array(alarm),
  /** Of an enclave whose keys this instance keeps; null where host-proxy.yaml names no folder for them. */
  keys: keysStatus.nullable(),
  logs: z.object({ received: z.number(), dropped: z.number() }),
  /** Of a daemon that runs the enclave itself (`acra-enclave run`). */
  machine: machine.nullable(),
});
export type HostStatus = z.infer<typeof hostStatus>;
/** What samples are made of; the rest is made of samples. */
export type MeasuredStatus = Omit<HostStatus, 'figures' | 'alarms'>;

/**
 * One line for people: `booting, phase master-key: KMS_UNAVAILABLE: waiting for KMS`. That a machine has not spoken yet is what its
 * stage says.
 */
export function describeProgress({ state, enclave, machine, shedding, ...status }: HostStatus): string {
  const reason = machine !== null && state === 'unknown' ? null : status.reason;
  const where = machine?.stage ?? state;
  const phase = enclave === null ? where : `${where}, phase ${enclave.phase}`;
  const why = reason === null ? [] : [reason.code, reason.message];
  const alarm = shedding.active ? ['shedding connections'] : [];
  return [phase, ...why, ...alarm].filter((part) => part !== null && part !== '').join(': ');
}
