/**
 * The checklist's claims: their names, which are stable, in the order in which they are judged and told; and what each of them proves,
 * and does not prove, to somebody who relies on it. docs/attestation.md has the same table.
 */

export interface ClaimText {
  readonly proves: string;
  /** What a reader might take it for. */
  readonly doesNotProve: string;
}

export const CLAIMS = {
  cose: {
    proves: 'The bytes are one COSE_Sign1 with the algorithm ES384, in canonical CBOR, with nothing before or after.',
    doesNotProve: 'Who signed it.',
  },
  cbor: {
    proves: 'The payload is canonical CBOR: two readers cannot understand it differently.',
    doesNotProve: 'That its content is what an attestation document has.',
  },
  platform: {
    proves: 'The document is of a Nitro Enclave, whose registers mean what this verifier takes them for.',
    doesNotProve: 'Which enclave it is.',
  },
  payload: {
    proves: 'The payload has the members that AWS specifies, all of them in range, and no unknown one.',
    doesNotProve: 'That any of it is true: the signature does.',
  },
  root: {
    proves: 'The chain begins at the root that the verifier trusts.',
    doesNotProve: 'That the root signed anything of this document: the steps of the chain do.',
  },
  certificates: {
    proves: 'Every certificate is X.509 version 3 with a key on P-384 and ECDSA-SHA384, and asks for nothing unknown.',
    doesNotProve: 'That they belong together.',
  },
  'certificate-validity': {
    proves: 'Every certificate, the root included, was valid at the time of judgement.',
    doesNotProve: 'That none was revoked: AWS defines no revocation, the certificates live for hours.',
  },
  'chain-order': {
    proves: 'Each certificate was issued and signed by the next one, up to the trusted root.',
    doesNotProve: 'That the issuers were allowed to.',
  },
  'path-length': {
    proves: 'Only certificate authorities issued, each over no more others than it may, and the last one is none.',
    doesNotProve: 'What the last certificate is for.',
  },
  'key-usage': {
    proves: 'The issuers may sign certificates, and the last one may sign documents.',
    doesNotProve: 'That it signed this one.',
  },
  signature: {
    proves: 'The document was signed by the key of its certificate and was not changed since.',
    doesNotProve: 'That this program, and not another enclave, asked for it: the measurements do.',
  },
  nonce: {
    proves: 'The document was made after the nonce was, for whoever chose it.',
    doesNotProve: 'That the enclave still runs.',
  },
  age: {
    proves: "The document was made shortly before it was judged, by the hypervisor's clock.",
    doesNotProve: 'That it was made for you: the nonce does.',
  },
  'not-debug': {
    proves: 'The enclave does not run in debug mode, in which the parent instance reads its console.',
    doesNotProve: 'Which program runs in it.',
  },
  pcr0: {
    proves: 'The enclave was started from exactly the expected image: kernel, boot, programs, configuration.',
    doesNotProve:
      'That the image is free of faults, or was built from the source that you read: build it again and compare.',
  },
  pcr1: {
    proves: 'Kernel, command line and boot disk are the expected ones.',
    doesNotProve: 'Anything about the programs and their configuration: PCR2 and PCR0 do.',
  },
  pcr2: {
    proves: 'Programs and measured configuration are the expected ones.',
    doesNotProve: 'Anything about the kernel: PCR1 and PCR0 do.',
  },
  pcr3: {
    proves: 'The parent instance had the expected IAM role when it started the enclave.',
    doesNotProve: 'That the parent is honest: the role only says whose it is.',
  },
  pcr4: {
    proves: 'The enclave runs on the expected instance.',
    doesNotProve: 'That the instance is honest.',
  },
  pcr8: {
    proves: 'The image was signed with the expected certificate.',
    doesNotProve: 'Which image it is: its holder may sign any.',
  },
  'other-registers': {
    proves: 'Nothing was measured into a register that this verifier does not know.',
    doesNotProve: 'That the registers which it does know are right.',
  },
  'user-data': {
    proves: 'The enclave states a TLS key and a run-time commitment, in the one known form.',
    doesNotProve: 'That the statement is true: the measured program makes it so.',
  },
  statement: {
    proves: 'The runtime statement is of a known version, in its one canonical form, with no unknown member.',
    doesNotProve: 'That it is the one of this enclave: the commitment does.',
  },
  commitment: {
    proves: 'The enclave commits to exactly this runtime statement.',
    doesNotProve: 'That it had committed to it before it got keys: PCR16 does.',
  },
  pcr16: {
    proves: 'The commitment is in PCR16 and locked: the enclave cannot take it back, and KMS can demand it.',
    doesNotProve: 'That the settings are the ones you want: see the claims below.',
  },
  'expected-statement': {
    proves: 'The enclave runs with exactly the published settings.',
    doesNotProve: 'That these settings are wise.',
  },
  guard: {
    proves: 'Statements that cannot be protected are refused, not passed on.',
    doesNotProve:
      'That every column which should be protected is configured: read encryptor.yaml of the measured folder.',
  },
  relations: {
    proves: 'Values go only to relations and functions that are protected or listed in the measured configuration.',
    doesNotProve: 'That the list is as short as it could be.',
  },
  migrations: {
    proves: 'No column is half-way: rows that were there before are not left as plaintext by a migration.',
    doesNotProve: 'That rows written before the enclave existed were ever encrypted.',
  },
  rollback: {
    proves:
      'No older keys than those that the operators mean can be in use: they are measured with the image, or one key set is named by its digest.',
    doesNotProve:
      'That nobody has a copy of these keys; nor, where it was allowed that the key policy of KMS pins them, what that policy says.',
  },
  'tls-key': {
    proves: 'The TLS connection ends at the key that the enclave attests.',
    doesNotProve: 'That nobody else has this key: see tls-key-origin. Later connections must be held to the same key.',
  },
  'tls-key-origin': {
    proves: 'The TLS key was made inside the enclave at this boot, and never left it.',
    doesNotProve: 'That a connection ends at it: tls-key does.',
  },
  'hpke-key': {
    proves: 'The enclave has an X25519 key of its own for messages that only it can open.',
    doesNotProve: 'That a message was encrypted to it.',
  },
} as const satisfies Readonly<Record<string, ClaimText>>;

/** Registers that are demanded beyond the named ones have claims too, after pcr8. */
export type ClaimName = keyof typeof CLAIMS | `pcr${number}`;

const ANY_REGISTER: ClaimText = {
  proves: 'The register holds the expected value.',
  doesNotProve: 'What was measured into it: acra-enclave gives it no meaning.',
};

export function claimText(claim: ClaimName): ClaimText {
  const texts: Readonly<Record<string, ClaimText>> = CLAIMS;
  return texts[claim] ?? ANY_REGISTER;
}
