/** Vectors that must be accepted: rules at their edges, and what differs between documents of AWS. */
import { encodeStatement } from '../../../../attestation/runtime/statement.ts';
import { ca, caUsage, extension, issue, leafUsage, notCa, pemOf } from '../../support/certificate.ts';
import { type ChainChanges, makeChain, VALIDITY } from '../../support/chain.ts';
import { hex } from '../../support/der.ts';
import { pcr } from '../../support/payload.ts';
import { KEY_SET, keptByParent, statement } from '../support/evidence.ts';
import {
  chain,
  documentOf,
  documentWith,
  MADE_AT_MS,
  onlyPcr0,
  payloadOf,
  type VectorDemands,
  type VectorSource,
  withChain,
} from './vector.ts';

function accepted(name: string, clause: string, source: Partial<VectorSource> = {}): VectorSource {
  return { name: `accepted: ${name}`, clause, document: documentOf(), fails: {}, ...source };
}

function chained(name: string, clause: string, changes: ChainChanges): VectorSource {
  const own = makeChain(changes, 'verifier vectors');
  return accepted(name, clause, { document: withChain(own), rootPem: pemOf(own.root) });
}

function kept(name: string, pin: string, demands: Partial<VectorDemands> = {}): VectorSource {
  const own = keptByParent(pin);
  return accepted(name, 'acra-enclave checklist, rollback', {
    document: documentOf({}, chain, own),
    statement: encodeStatement(own),
    demands: { ...onlyPcr0(own), ...demands },
  });
}

const leaf = issue(
  { name: 'leaf', ...VALIDITY, extensions: [notCa, leafUsage], keyText: 'verifier vectors leaf' },
  chain.root,
);
const unknownExtension = extension('2a0304', false, hex('0500'));
const report = { ...statement, guard: { mode: 'report', relations: 'any', migrations: ['patients.name'] } } as const;
const stated = { ...report, guard: { ...report.guard, migrations: ['patients.name'] } };
const lone = { ...chain, leaf };

export const ACCEPTED: readonly VectorSource[] = [
  accepted('all that can be demanded', 'acra-enclave checklist'),
  accepted('tag 18 before the envelope', 'RFC 9052 section 4.2: COSE_Sign1_Tagged', {
    document: Buffer.concat([hex('d2'), documentOf()]),
  }),
  accepted('optional members left out', 'nsm-api attestation_process.md section 3.2.2.1', {
    document: documentWith((members) => {
      members.delete('nonce');
      members.delete('public_key');
      members.delete('user_data');
    }),
    demands: { measurements: 'not-judged', runtime: 'not-judged' },
    without: ['nonce', 'tlsKeySha256', 'attestedTlsKey', 'pinnedKeys'],
  }),
  accepted('all 32 registers locked', 'nitro-formats 3.5', {
    document: documentOf({
      pcrs: new Map([...Array.from({ length: 32 }, (_, index) => pcr(index, 0)), ...payloadOf().pcrs]),
    }),
  }),
  accepted('a register beyond the known ones, demanded', 'acra-enclave checklist, other registers', {
    document: documentOf({ pcrs: new Map([...payloadOf().pcrs, pcr(17)]) }),
    demands: { measurements: { pcrs: { PCR0: '01'.repeat(48), PCR17: '12'.repeat(48) }, statement } },
  }),
  accepted('an image by PCR1 and PCR2', 'acra-enclave checklist, registers', {
    demands: { measurements: { pcrs: { PCR1: '02'.repeat(48), PCR2: '03'.repeat(48) } } },
  }),
  accepted('exactly as old as is allowed', 'acra-enclave checklist, age', { nowMs: MADE_AT_MS + 300_000 }),
  accepted('exactly as far ahead as is allowed', 'acra-enclave checklist, age', { nowMs: MADE_AT_MS - 5_000 }),
  accepted('saved long ago', "nitro-formats 3.6, chain step 2: at the document's own time", {
    demands: { savedDocument: true },
    nowMs: MADE_AT_MS + 1_000_000_000,
  }),
  accepted('the expected statement in the place of one that is shown', 'acra-enclave checklist, statement', {
    statement: null,
  }),
  accepted('what is allowed by name', 'acra-enclave checklist, guard, relations, migrations', {
    document: documentOf({}, chain, stated),
    statement: encodeStatement(stated),
    demands: { ...onlyPcr0(stated), allow: { reportGuard: true, anyRelation: true, openMigrations: true } },
  }),
  kept('keys that the parent keeps, pinned by digest', KEY_SET),
  kept('keys that the key policy pins, allowed by name', 'policy', { allow: { policyPin: true } }),
  kept('rollback not excluded, and told', 'none', { pinnedKeys: false }),
  kept('rollback left to the key policy, and told', 'policy', { pinnedKeys: false }),
  accepted('a leaf issued by the root', 'nsm-api attestation_process.md section 3.2.3: N may be 0', {
    document: withChain(lone, [chain.root.der]),
  }),
  chained('a leaf without basic constraints', 'RFC 5280 section 4.2.1.9', { leaf: { extensions: [leafUsage] } }),
  chained('a path length that is just enough', 'RFC 5280 section 4.2.1.9', { root: { extensions: [ca(3), caUsage] } }),
  chained('an unknown extension that is not critical', 'RFC 5280 section 4.2', {
    leaf: { extensions: [notCa, leafUsage, unknownExtension] },
  }),
];
