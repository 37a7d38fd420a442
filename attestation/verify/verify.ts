/**
 * The checklist: `verify` judges an attestation document, claim by claim, against what its reader demands, and tells every claim. It never
 * throws for what a document says. Specification: nitro-formats 3.6 and AWS's nsm-api, docs/attestation_process.md, for the document;
 * ../runtime/ for what an acra-enclave states of itself.
 */
import type { CoseSign1 } from '../../encoding/cose-sign1.ts';
import { checkSignature } from '../document/authenticate.ts';
import {
  checkBasicConstraints,
  checkKeyUsage,
  checkOrder,
  checkRoot,
  checkValidity,
  readPath,
} from '../document/chain.ts';
import { checkPlatform, openEnvelope, openPayload, readPayload } from '../document/parse.ts';
import type { AttestationPayload } from '../document/payload.ts';
import type { AcraRuntimeStatement, RuntimeStatement } from '../runtime/statement.ts';
import { COMMITMENT_PCR, pcrOfCommitment } from '../runtime/statement.ts';
import type { AttestedUserData } from '../runtime/user-data.ts';
import { checkHpkeKey, checkTlsKey, checkTlsKeyOrigin } from './bound-keys.ts';
import { Checklist, type Judged } from './checklist.ts';
import type { ClaimName } from './claims.ts';
import { type CheckedDemands, checkDemands, type Demands } from './demands.ts';
import { checkAge, checkNonce } from './freshness.ts';
import { checkNotDebug, checkOtherRegisters, checkRegister } from './registers.ts';
import { makeReport, type VerifyReport } from './report.ts';
import { checkRollback, toldRollback } from './rollback.ts';
import {
  checkCommitment,
  checkExpectedStatement,
  checkGuard,
  checkMigrations,
  checkRelations,
  readStatement,
  readUserData,
  type ShownStatement,
} from './runtime.ts';

export interface Evidence {
  /** COSE_Sign1, as it came. */
  readonly document: Uint8Array;
  /** The runtime statement that came with it: canonical JSON. */
  readonly statement?: Uint8Array;
}

type Document = Judged<AttestationPayload>;

const NOT_DEMANDED = 'nobody demanded it';
const NOT_OF_A_SESSION = 'the document is not judged as an answer to a stranger';
/** Told always, demanded or not. PCR16 follows from the commitment. */
const TOLD_PCRS = [0, 1, 2, 3, 4, 8];

const holds = { value: true } as const;

/** @throws AttestationError ATTESTATION_POLICY_INVALID, ATTESTATION_TRUST_ROOT_INVALID, for demands that are none */
export function verify(evidence: Evidence, demands: Demands): VerifyReport {
  const checked = checkDemands(demands);
  const list = new Checklist();
  const envelope = list.judge('cose', [], () => ({ value: openEnvelope(evidence.document) }));
  const payload = judgeSyntax(list, envelope);
  const judgedAtMs =
    checked.time.by === 'clock' ? checked.time.nowMs : (payload.passed?.value.timestampMs ?? Number.NaN);
  const authentic = judgeAuthenticity(list, envelope, payload, checked, judgedAtMs);
  judgeFreshness(list, authentic, checked);
  const document = judgeMeasurements(list, authentic, checked);
  const userData = judgeUserData(list, document, checked);
  const statement = judgeStatement(list, document, userData, evidence, checked);
  const hpkeKey = judgeKeys(list, document, userData, statement, checked);
  const { claims } = list;
  return makeReport({ demands: checked, claims, judgedAtMs, document: authentic, userData, statement, hpkeKey });
}

function judgeSyntax(list: Checklist, envelope: Judged<CoseSign1>): Document {
  const map = list.judge('cbor', [envelope], (opened) => ({ value: openPayload(opened) }));
  const platform = list.judge('platform', [map], (members) => {
    checkPlatform(members);
    return { value: members, found: 'Nitro Enclave' };
  });
  return list.judge('payload', [platform], (members) => {
    const value = readPayload(members);
    return { value, found: value.moduleId };
  });
}

/** The chain, leaf to root, and the signature. */
function judgeAuthenticity(
  list: Checklist,
  envelope: Judged<CoseSign1>,
  payload: Document,
  { rootDer }: CheckedDemands,
  atMs: number,
): Document {
  const root = list.judge('root', [payload], ({ cabundle }) => {
    checkRoot(cabundle, rootDer);
    return holds;
  });
  const path = list.judge('certificates', [Checklist.all(payload, [root])], ({ certificate, cabundle }) => ({
    value: readPath(certificate, cabundle, rootDer),
  }));
  const validity = list.judge('certificate-validity', [path], (chain) => {
    checkValidity(chain, atMs);
    return holds;
  });
  const order = list.judge('chain-order', [path], (chain) => {
    checkOrder(chain);
    return { value: chain };
  });
  const pathLength = list.judge('path-length', [order], (chain) => {
    checkBasicConstraints(chain);
    return holds;
  });
  const keyUsage = list.judge('key-usage', [order], (chain) => {
    checkKeyUsage(chain);
    return holds;
  });
  const signature = list.judge('signature', [envelope, path], (opened, { leaf }) => {
    checkSignature(opened, leaf);
    return holds;
  });
  return Checklist.all(payload, [root, path, validity, order, pathLength, keyUsage, signature]);
}

function judgeFreshness(list: Checklist, authentic: Document, { nonce, time }: CheckedDemands): void {
  if (nonce === undefined) list.leaveOut('nonce', NOT_DEMANDED);
  else
    list.judge('nonce', [authentic], (document) => {
      checkNonce(document.nonce, nonce);
      return { ...holds, found: nonce.toString('hex') };
    });
  if (time.by === 'document') list.leaveOut('age', 'a saved document is judged at its own time');
  else list.judge('age', [authentic], ({ timestampMs }) => ({ ...holds, found: checkAge(timestampMs, time) }));
}

/** @returns the document, when its registers mean anything at all */
function judgeMeasurements(list: Checklist, authentic: Document, { pcrs }: CheckedDemands): Document {
  const notDebug = list.judge('not-debug', [authentic], (document) => {
    checkNotDebug(document.pcrs);
    return holds;
  });
  const document = Checklist.all(authentic, [notDebug]);
  const unnamed = [...pcrs.keys()].filter((index) => index !== COMMITMENT_PCR && !TOLD_PCRS.includes(index));
  for (const index of [...TOLD_PCRS, ...unnamed]) judgeRegister(list, document, index, pcrs.get(index));
  list.judge('other-registers', [document], (payload) => {
    checkOtherRegisters(payload.pcrs, pcrs);
    return holds;
  });
  return document;
}

function judgeRegister(list: Checklist, document: Document, index: number, demanded: Buffer | undefined): void {
  const claim: ClaimName = `pcr${index}`;
  if (demanded === undefined) list.leaveOut(claim, NOT_DEMANDED);
  else list.judge(claim, [document], ({ pcrs }) => ({ ...holds, found: checkRegister(pcrs, index, demanded) }));
}

function judgeUserData(list: Checklist, document: Document, demands: CheckedDemands): Judged<AttestedUserData> {
  if (!demands.isRuntimeDemanded) return list.leaveOut('user-data', NOT_OF_A_SESSION);
  return list.judge('user-data', [document], ({ userData }) => ({ value: readUserData(userData) }));
}

/** @returns the statement, when the enclave cannot take it back */
function judgeStatement(
  list: Checklist,
  document: Document,
  userData: Judged<AttestedUserData>,
  evidence: Evidence,
  demands: CheckedDemands,
): Judged<RuntimeStatement> {
  const { statement: expected, isRuntimeDemanded, pcrs: demanded } = demands;
  if (!isRuntimeDemanded) return leaveOutStatement(list, document, demanded);
  const shown = list.judge('statement', [], () => ({ value: readStatement(evidence.statement, expected) }));
  const commitment = list.judge('commitment', [userData, shown], (stated, statement) => {
    checkCommitment(stated, statement);
    return { value: stated.commitment };
  });
  const locked = list.judge('pcr16', [document, commitment], ({ pcrs }, committed) => {
    const found = checkRegister(pcrs, COMMITMENT_PCR, pcrOfCommitment(committed));
    const alsoDemanded = demanded.get(COMMITMENT_PCR);
    if (alsoDemanded !== undefined) checkRegister(pcrs, COMMITMENT_PCR, alsoDemanded);
    return { ...holds, found };
  });
  const statement = statementOf(Checklist.all(shown, [commitment, locked]));
  judgeExpectedStatement(list, Checklist.all(shown, [commitment]), expected);
  judgeGuard(list, statement, demands);
  judgeRollback(list, statement, demands);
  return statement;
}

/** Nobody who expects Acra takes an enclave with another application for one; who names that one expects no guard. */
function judgeGuard(
  list: Checklist,
  statement: Judged<RuntimeStatement>,
  { allow, statement: expected }: CheckedDemands,
) {
  const stated = statement.passed?.value;
  if (stated?.workload === 'app' && expected?.workload === 'app')
    list.leaveOut('guard', 'the enclave that is expected has no Acra (workload app)');
  else list.judge('guard', [statement], (shown) => ({ ...holds, found: checkGuard(shown, allow) }));
  if (stated !== undefined && (stated.workload === 'app' || stated.guard.mode === 'none')) {
    list.leaveOut('relations', 'there is no guard');
    list.leaveOut('migrations', 'there is no guard');
    return;
  }
  const guarded = statement as Judged<AcraRuntimeStatement>;
  list.judge('relations', [guarded], (shown) => ({ ...holds, found: checkRelations(shown, allow) }));
  list.judge('migrations', [guarded], (shown) => ({ ...holds, found: checkMigrations(shown, allow) }));
}

function judgeRollback(list: Checklist, statement: Judged<RuntimeStatement>, demands: CheckedDemands): void {
  const told = statement.passed && toldRollback(statement.passed.value, demands);
  if (told !== undefined) list.leaveOut('rollback', told);
  else list.judge('rollback', [statement], (stated) => ({ ...holds, found: checkRollback(stated, demands) }));
}

/** PCR16 is a register like others then. */
function leaveOutStatement(list: Checklist, document: Document, demanded: CheckedDemands['pcrs']): Judged<never> {
  for (const claim of ['statement', 'commitment'] as const) list.leaveOut(claim, NOT_OF_A_SESSION);
  judgeRegister(list, document, COMMITMENT_PCR, demanded.get(COMMITMENT_PCR));
  for (const claim of ['expected-statement', 'guard', 'relations', 'migrations'] as const)
    list.leaveOut(claim, NOT_OF_A_SESSION);
  return list.leaveOut('rollback', NOT_OF_A_SESSION);
}

function statementOf({ claim, passed }: Judged<ShownStatement>): Judged<RuntimeStatement> {
  return passed === undefined ? { claim } : { claim, passed: { value: passed.value.statement } };
}

function judgeExpectedStatement(
  list: Checklist,
  committed: Judged<ShownStatement>,
  expected: RuntimeStatement | undefined,
): void {
  if (expected === undefined) list.leaveOut('expected-statement', 'no statement was expected');
  else
    list.judge('expected-statement', [committed], (shown) => {
      checkExpectedStatement(shown, expected);
      return holds;
    });
}

/** @returns the HPKE key */
function judgeKeys(
  list: Checklist,
  document: Document,
  userData: Judged<AttestedUserData>,
  statement: Judged<RuntimeStatement>,
  { tlsKeySha256, attestedTlsKey, isRuntimeDemanded }: CheckedDemands,
): Judged<Buffer> {
  if (tlsKeySha256 === undefined) list.leaveOut('tls-key', 'no connection was named whose key could be compared');
  else
    list.judge('tls-key', [userData], (stated) => ({
      ...holds,
      found: checkTlsKey(stated.tlsKeySha256, tlsKeySha256),
    }));
  if (statement.passed?.value.tlsKey === 'sealed' && !attestedTlsKey)
    list.leaveOut('tls-key-origin', 'an operator made the TLS key (tls.key: sealed); nobody demanded one born inside');
  else list.judge('tls-key-origin', [statement], (stated) => ({ ...holds, found: checkTlsKeyOrigin(stated) }));
  if (!isRuntimeDemanded) return list.leaveOut('hpke-key', NOT_OF_A_SESSION);
  return list.judge('hpke-key', [document], ({ publicKey }) => ({ value: checkHpkeKey(publicKey) }));
}
