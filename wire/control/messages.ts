/**
 * The control connection's messages, typed once for both ends. The enclave dials, the parent listens; frames are in
 * frame.ts. The enclave treats the parent as an adversary: it accepts only acknowledgements, signs of life and a request to stop
 * (which the parent could force anyway), and sends nothing here that the parent may not read.
 */
import { z } from 'zod';
import { LOG_LEVELS } from '../../runtime/log.ts';
import { WireError } from '../errors.ts';
import { saidCode, saidPhase, saidText } from './said.ts';

export const CONTROL_PROTOCOL = 1;

/** Of events and fields; both ends hold to it. */
export const MAX_NAME_CHARACTERS = 100;

/** What a Date can be, on either side of the epoch (ECMA-262, "Time Values"): beyond it neither a log nor a page can say when it was. */
export const MAX_TIME_MS = 8.64e15;
/** By the enclave's own clock, since the epoch. */
const timeMs = z.int().min(-MAX_TIME_MS).max(MAX_TIME_MS);

const logValue = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const logRecord = z.strictObject({
  /** Counts up from 1 within one boot of the enclave. */
  seq: z.int().min(1),
  timeMs,
  level: z.enum(LOG_LEVELS),
  event: z.string().max(MAX_NAME_CHARACTERS),
  fields: z.record(z.string().max(MAX_NAME_CHARACTERS), logValue),
});
export type WireLogRecord = z.infer<typeof logRecord>;

/**
 * Where the enclave is.
 *
 *   booting ───▶ serving ◀───▶ degraded
 *      │            │              │
 *      ├────────────┴──────────────┴───▶ failed
 *      │            │              │        │
 *      └────────────┴──────────────┴────────┴──▶ stopping ──▶ stopped
 *
 * `serving`: sessions work. `degraded`: it served, and something that may pass is in the way. `failed` is what somebody must look
 * into; nothing that happens later makes it serve again: it can only be stopped. Any state may end in `failed` or `stopped` at once.
 */
export const ENCLAVE_STATES = ['booting', 'serving', 'degraded', 'stopping', 'stopped', 'failed'] as const;
export type EnclaveState = (typeof ENCLAVE_STATES)[number];

const NEXT_STATES: Readonly<Record<EnclaveState, readonly EnclaveState[]>> = {
  booting: ['serving', 'degraded', 'stopping', 'stopped', 'failed'],
  serving: ['degraded', 'stopping', 'stopped', 'failed'],
  degraded: ['serving', 'stopping', 'stopped', 'failed'],
  stopping: ['stopped', 'failed'],
  stopped: [],
  failed: ['stopping', 'stopped'],
};

export function mayFollow(from: EnclaveState, to: EnclaveState): boolean {
  return from === to || NEXT_STATES[from].includes(to);
}

/** The boot phase that waits for people: for a certificate of the TLS key (supervisor/boot/phases/certificate.ts). */
export const CERTIFICATE_PHASE = 'certificate';
/** The one that waits for a key set, which the parent or people bring (supervisor/boot/phases/key-set.ts). */
export const KEY_SET_PHASE = 'key-set';
/** The code of its status while it is taking none: somebody has to do something. */
export const KEY_SET_AWAITED = 'KEY_SET_MISSING';
/** The same of a set that was brought, while operators have loaded too few shares of its data key. */
export const KEY_SHARES_AWAITED = 'KEY_SHARES_AWAITED';

export const enclaveStatus = z.strictObject({
  state: z.enum(ENCLAVE_STATES),
  /** The boot phase that runs or ran last. */
  phase: saidPhase,
  /** What it is waiting for, or what is wrong, in words. */
  detail: saidText(4000).nullable(),
  errorCode: saidCode.nullable(),
  sinceMs: timeMs,
});
export type EnclaveStatus = z.infer<typeof enclaveStatus>;

const hello = z.strictObject({
  type: z.literal('hello'),
  protocol: z.literal(CONTROL_PROTOCOL),
  bootId: saidText(64),
  release: saidText(64),
  simulated: z.boolean(),
});
const logs = z.strictObject({
  type: z.literal('logs'),
  records: z.array(logRecord).max(1000),
  /** Records lost to a full buffer since boot. */
  dropped: z.int().min(0),
});
const status = z.strictObject({ type: z.literal('status'), status: enclaveStatus });
const measurements = z.strictObject({
  type: z.literal('measurements'),
  /** PCR index to hex; informative for the parent, evidence only inside an attestation document. */
  pcrs: z.record(z.string().regex(/^PCR\d{1,2}$/), z.string().regex(/^[0-9a-f]{96}$/)),
  /** null where the enclave runs another application. */
  acraServer: saidText(500).nullable(),
});
/** Of one message. */
export const MAX_SAMPLES = 2_000;
/** What they may be called stands in wire/metrics.ts; the parent publishes nothing else. */
const metricSample = z.strictObject({
  name: z.string().max(MAX_NAME_CHARACTERS),
  labels: z.record(z.string().max(MAX_NAME_CHARACTERS), z.string().max(MAX_NAME_CHARACTERS)),
  value: z.number(),
});
const metrics = z.strictObject({ type: z.literal('metrics'), samples: z.array(metricSample).max(MAX_SAMPLES) });

export const bootPhase = z.strictObject({
  phase: saidPhase,
  /** By the enclave's monotonic clock; null while it runs. */
  durationMs: z.int().min(0).nullable(),
});
export type BootPhase = z.infer<typeof bootPhase>;
const boot = z.strictObject({ type: z.literal('boot'), phases: z.array(bootPhase).max(60) });

/** `closed`: nobody of it is served any more, after a poison record or because its keys are gone. */
const IDENTITY_STATES = ['starting', 'serving', 'closed'] as const;
export const identity = z.strictObject({
  /** As acra-server knows it: the hash of a name that stands in the image. */
  clientId: saidText(128),
  state: z.enum(IDENTITY_STATES),
  sessions: z.int().min(0),
  /** Of its programs together. */
  restarts: z.int().min(0),
});
export type IdentityStatus = z.infer<typeof identity>;
/** So many are told one by one: they fit into a frame. */
export const MAX_IDENTITIES = 1_000;
const identities = z.strictObject({
  type: z.literal('identities'),
  /** Those that may come. */
  known: z.int().min(0),
  /** Those that are served now, of which only the first MAX_IDENTITIES are listed. */
  running: z.int().min(0),
  listed: z.array(identity).max(MAX_IDENTITIES),
});
export type IdentitiesMessage = z.infer<typeof identities>;

const enclaveMessage = z.discriminatedUnion('type', [hello, logs, status, measurements, metrics, boot, identities]);
export type EnclaveMessage = z.infer<typeof enclaveMessage>;

const acknowledge = z.strictObject({ type: z.literal('acknowledge'), seq: z.int().min(0) });
/** The answer to every status, so that the enclave notices a connection that leads nowhere any more. */
const heard = z.strictObject({ type: z.literal('heard') });
const stop = z.strictObject({ type: z.literal('stop') });
const hostMessage = z.discriminatedUnion('type', [acknowledge, heard, stop]);
export type HostMessage = z.infer<typeof hostMessage>;

function parseWith<Schema extends z.ZodType>(schema: Schema, payload: Buffer): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(payload.toString('utf8'));
  } catch (cause) {
    throw new WireError('WIRE_MESSAGE_INVALID', 'control message is not JSON', { cause });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new WireError('WIRE_MESSAGE_INVALID', 'control message has an unknown shape', { cause: result.error });
}

/** @throws WireError WIRE_MESSAGE_INVALID */
export function parseEnclaveMessage(payload: Buffer): EnclaveMessage {
  return parseWith(enclaveMessage, payload);
}

/** @throws WireError WIRE_MESSAGE_INVALID */
export function parseHostMessage(payload: Buffer): HostMessage {
  return parseWith(hostMessage, payload);
}
