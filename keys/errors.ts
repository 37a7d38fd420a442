/** Error codes of the sealed master key and what is made with it. */
import type { AcraError } from '../acra/errors.ts';
import type { ErrorCatalogue } from '../runtime/errors.ts';
import { CodedError } from '../runtime/errors.ts';

const REISSUE = 'Let the CA issue it again with what is allowed; subject and key may stay the same.';

export const KEY_ERRORS = {
  KEY_SET_INVALID: {
    meaning: 'What was brought as a key set is none, or not in its one form.',
    action: 'Bring the key set as the enclave handed it out; restore it from a copy.',
  },
  KEY_SET_UNSEALABLE: {
    meaning:
      'The master key in the key set does not open with its data key: something in the set was changed, or parts of two sets were put together.',
    action: 'Restore the key set from a copy.',
  },
  KEY_TRANSCRIPT_INVALID: {
    meaning: 'The transcript of a key set does not prove that an enclave made it.',
    action: 'Bring the transcript that the enclave handed out with this key set.',
  },
  KEY_TRANSCRIPT_OTHER_SET: {
    meaning: 'The transcript proves where another key set was made, not this one.',
    action: 'Bring the transcript that belongs to this key set: both lie in one folder.',
  },
  KEY_TRANSCRIPT_OTHER_IMAGE: {
    meaning: 'The key set was made in an enclave of another image than those that this image trusts.',
    action:
      'Name the PCR0 of that image under `keys.madeIn` of enclave.yaml, if you trust it, and build the image again.',
  },
  KEY_SET_OTHER_KEEPER: {
    meaning:
      'The key set lies under another KMS key, or another encryption context, than enclave.yaml names, or operators keep it whom that does not name.',
    action:
      'Bring the key set of this enclave. If it is to move to another KMS key, name the old one under `keys.formerKmsKeys` and ask for `keys rotate kms`; from operators to others, name the image that made it under `keys.madeIn` and ask for `keys reshare`.',
  },
  KEY_REQUEST_INVALID: {
    meaning: 'What was sent is no signed request to make or change keys.',
    action:
      'Make it with the command of the same release: `acra-enclave keys ceremony`, `add-client`, `rotate` and so on, with `--out` or `--key`.',
  },
  KEY_REQUEST_STALE: {
    meaning:
      'The request was made for another enclave, another boot of it, another configuration, or for a key set that has been replaced since.',
    action: 'Make the request again by the same command; requests are for one boot and one state of the keys.',
  },
  KEY_REQUEST_REFUSED: {
    meaning: 'The enclave does not do what the request asks for.',
    action:
      'See what is allowed in the message. A ceremony is held only by an enclave that has no keys, and whose enclave.yaml has `keys.ceremony: allowed`.',
  },
  KEY_SECRET_UNSEALABLE: {
    meaning: 'A secret in the request was encrypted for another enclave, boot, request or user, or was changed.',
    action: 'Make the request again by the same command.',
  },
  KEY_SET_OTHER_ENCLAVE: {
    meaning: 'The key set is of an enclave of another name.',
    action: 'Bring the key set of this enclave: `name` of enclave.yaml.',
  },
  KEY_SET_ROLLED_BACK: {
    meaning: 'The key set is older than the one that the enclave has, or another than the measured configuration pins.',
    action: 'Bring the newest key set. If it is lost, see docs/keys.md on what an older one lacks.',
  },
  KEY_SET_OTHER_LINE: {
    meaning:
      'The key set is the next by its number, and was made from another set than the one that the enclave works with.',
    action:
      'Bring the one that was made from the set in use (`acra-enclave keys list`). Two lines of sets come about when an enclave was started with an older set and changed: decide for one, and start the enclave with it.',
  },
  KEY_SET_MISSING: {
    meaning: 'The enclave takes its keys from the parent instance, and was brought no key set.',
    action:
      'Put key set and transcript into `keys.folder` of host-proxy.yaml, or hold a ceremony (`acra-enclave keys ceremony`).',
  },
  KEYS_NOT_NOW: {
    meaning: 'The enclave takes and makes no keys at this moment: it boots, stops, or works on others.',
    action:
      'Ask again in a few seconds. It takes the first key set in boot phase `key-set`, and others once it has prepared to serve.',
  },
  KEY_REQUEST_UNAPPROVED: {
    meaning: 'Fewer operators have signed the request than `keys.approvals` of enclave.yaml demands.',
    action: 'Let further operators sign it with `acra-enclave keys approve`.',
  },
  KEY_OPERATOR_INVALID: {
    meaning:
      'A file that `keys.operators` of enclave.yaml names is not there, or holds no public key of the kind that is needed there.',
    action:
      'Write the PEM of one public key into it, for `key` Ed25519, P-256 or P-384, for `encryptionKey` X25519: `openssl pkey -in PRIVATE.pem -pubout -out FILE`. The private key stays with the operator.',
  },
  KEY_OPERATOR_TWICE: {
    meaning:
      'Two operators of enclave.yaml have one key, so that one person could approve a request twice, or hold two shares.',
    action: 'Give each operator a key of his own, or name him once.',
  },
  MASTER_KEY_FILE_INVALID: {
    meaning: 'The file with the master key’s KMS ciphertext is not of the form that `keys new` writes.',
    action:
      'Restore it, or make new keys with `acra-enclave keys new` (data under the old key stays unreadable without it).',
  },
  MASTER_KEY_FILE_DAMAGED: {
    meaning: 'The master key’s ciphertext was changed after `keys new` wrote it.',
    action: 'Restore the file from a copy and build the image again.',
  },
  MASTER_KEY_OTHER_KEY: {
    meaning: 'The master key was encrypted under another KMS key than `kms.keyArn` names.',
    action:
      'Name that key in `kms.keyArn`; of a multi-Region key (mrk-…) a replica will do. Do not make new keys in its place: data under the old master key would stay unreadable. Moving to another KMS key means to encrypt the same master key under it.',
  },
  MASTER_KEY_OTHER_CONTEXT: {
    meaning: 'The master key was encrypted under another encryption context than `kms.encryptionContext`.',
    action: 'Restore the context in enclave.yaml; KMS decrypts under no other.',
  },
  KEY_FILE_READ: {
    meaning: 'The private key file cannot be read.',
    action: 'Check path and permissions.',
  },
  KEY_FILE_INVALID: {
    meaning: 'The private key file is not one PEM private key that acra-server reads.',
    action:
      'Convert it: `openssl pkey -in FILE -out server.key` (with `-inform DER` for DER; `openssl pkcs12` for PKCS #12).',
  },
  KEY_FILE_ENCRYPTED: {
    meaning: 'The private key is encrypted with a password.',
    action: 'Decrypt it: `openssl pkey -in FILE -out server.key`. It is sealed under the master key instead.',
  },
  KEY_ALGORITHM: {
    meaning: 'The private key is of a kind that acra-server cannot serve with.',
    action: 'Make a key on P-256 or an RSA key of 2048 bits or more, and a certificate for it.',
  },
  KEY_CERTIFICATE_MISMATCH: {
    meaning: 'Server certificate and private key do not belong together.',
    action:
      'Put the certificate of this key at `acra.certificate`, or name the key of that certificate. For a certificate with a new key: `acra-enclave keys seal`.',
  },
  KEY_NOT_SEALED: {
    meaning: 'A TLS key was given for an enclave that makes its own (`tls.key: attested`).',
    action: 'Leave `--server-key` out; or set `tls.key: sealed`, and name certificate and key in `acra`.',
  },
  KEY_DATABASE_USER: {
    meaning: 'The database users that the command names are not those of `database.users` in enclave.yaml.',
    action:
      'Name those that the message allows, or mend enclave.yaml. Where files are given: each user once, as `--database-user NAME=FILE`, and each with a `nextSecret` as `--next-database-user NAME=FILE` too.',
  },
  KEY_PASSWORD_READ: {
    meaning: 'The file with the password or verifier of a database user cannot be read.',
    action:
      'Check path and permissions. Behind `NAME=` stands a file, not the password: that would be seen by everybody on the machine, and must be changed then.',
  },
  KEY_PASSWORD_INVALID: {
    meaning: 'A file holds no password that a user of the database could have.',
    action: 'Write the password and nothing else into the file, on one line.',
  },
  KEY_VERIFIER_INVALID: {
    meaning: 'A file holds no verifier of a user of the database, which `database.login: verifier` needs.',
    action:
      "Write what the database keeps into the file: `SELECT rolpassword FROM pg_authid WHERE rolname = 'NAME'`, asked as a superuser. Where that is no text that begins with `SCRAM-SHA-256$`, set `password_encryption` to `scram-sha-256`, and the password again. Or make one with `acra-enclave keys verifier`, and give the database the same.",
  },
  CERTIFICATE_FILE_READ: {
    meaning: 'A certificate file cannot be read.',
    action: 'Check path and permissions.',
  },
  CERTIFICATE_FILE_INVALID: {
    meaning:
      'A certificate file does not consist of PEM certificates, holds one of a form that acra-server does not read (OpenSSL reads more), or something that must not be in the image.',
    action:
      'Write PEM certificates and nothing else: `openssl x509 -in FILE -out FILE.pem` (with `-inform DER` for DER). Where the message names a field of a certificate, let the CA issue it again without that.',
  },
  CERTIFICATE_CHAIN: {
    meaning: 'The certificates of a file are not in the order of a chain.',
    action: 'Order them: the own certificate first, then its issuer, and so on.',
  },
  CERTIFICATE_EXPIRED: {
    meaning: 'A certificate has expired.',
    action:
      'Renew it. For the same key nothing is to be sealed: put the new one in its place and build the image again.',
  },
  CERTIFICATE_NOT_YET_VALID: {
    meaning: 'A certificate is not valid yet.',
    action: 'Check the clock, or wait.',
  },
  CERTIFICATE_ALGORITHM: {
    meaning: 'A certificate has a key or a signature that acra-server refuses.',
    action:
      'Let it be issued with SHA-256 or longer, for a key on P-256, P-384, P-521, Ed25519 or RSA of 2048 to 8192 bits.',
  },
  CERTIFICATE_EXTENSION: {
    meaning:
      'A certificate has a critical extension that acra-server does not know, so that it refuses the certificate.',
    action: REISSUE,
  },
  CERTIFICATE_NOT_SERVER: {
    meaning: 'The server certificate is not one that clients accept.',
    action: REISSUE,
  },
  CERTIFICATE_NOT_CLIENT: {
    meaning: 'A client certificate is one that acra-server always refuses.',
    action: REISSUE,
  },
  CERTIFICATE_NOT_CA: {
    meaning: 'A file that should hold trust anchors holds none that can be one.',
    action: 'Put the CA certificate there that signs the others, not one of those.',
  },
  CERTIFICATE_OTHER_ISSUER: {
    meaning: 'A client certificate was issued by another CA than the client CA of the enclave.',
    action: 'Name a certificate of that CA, or put its CA at `acra.clientCa`.',
  },
  CERTIFICATE_ISSUER: {
    meaning: 'A certificate leads to a CA that may not have issued it, so that whoever checks the chain refuses it.',
    action:
      'Renew or replace the CA that the message names, or let another one issue the certificate; send along the CAs between.',
  },
  KEY_OUTPUT_EXISTS: {
    meaning: 'What would be made is there already; nothing was changed.',
    action:
      'To add a client, or seal another TLS key or secret of a user, use `acra-enclave keys add-client` or `keys seal`. New keys for other data belong in another folder. Never remove keys of a database that is in use.',
  },
  KEY_OUTPUT_PLACE: {
    meaning:
      'enclave.yaml names a place for keys that something else has too, or that lies within it, so that one would spoil the other.',
    action:
      'Give `acra.keystore`, `acra.sealedKey`, `kms.ciphertext` and each `secret` and `nextSecret` of `database.users` a place of its own, and keep all else out of the keystore.',
  },
  KEY_OUTPUT_WRITE: {
    meaning: 'The results cannot be written; nothing was left behind.',
    action: 'Check the folder, its permissions and the free space.',
  },
  KEY_KEYSTORE_CHANGED: {
    meaning: 'The keystore was changed by something else while a new one was made of it; it is as that left it.',
    action: 'Run one command that changes keys at a time; try again.',
  },
  KEY_IDS_FILE: {
    meaning: 'A file does not hold the ids of keys, as `keys rotate data --json` and `keys ids --json` print them.',
    action: 'Print it anew: `acra-enclave keys ids -e FOLDER --json > key-ids.json`.',
  },
  KEY_PROOF: {
    meaning: 'It is not proved of every protected column that nothing is under the old keys of a client any more.',
    action:
      'Run `acra-enclave data reencrypt`, then `data reencrypt --check --json` for every table, in every database; give all that it printed.',
  },
  KEY_CLIENT_EXISTS: {
    meaning: 'A client has keys already: the certificate leads to the same client id as an earlier one.',
    action:
      'Nothing is to be done for a renewed certificate of the same subject. For another client, choose another subject (or serial number, by `acra.clientIdFrom`).',
  },
  KEY_DECRYPT_DENIED: {
    meaning: 'You may not decrypt the master key, as the key policy should have it: only the measured enclave may.',
    action:
      'To add clients, or seal another TLS key or password, somebody who may change the key policy adds a statement for as long as it takes: `{"Effect": "Allow", "Principal": {"AWS": "YOUR ARN"}, "Action": "kms:Decrypt", "Resource": "*"}`. Whoever has it can copy the master key; CloudTrail records both. Without it: a renewed certificate of the same key or the same client needs neither.',
  },
  KEY_DECRYPT_FAILED: {
    meaning: 'KMS did not decrypt the master key.',
    action: 'Check the endpoint, the region and your credentials; the message has the words of KMS.',
  },
} as const satisfies ErrorCatalogue;

export type KeyErrorCode = keyof typeof KEY_ERRORS;

/** A certificate that leads to no client id is one finding of several. */
export type FindingCode = KeyErrorCode | Extract<AcraError['code'], 'ACRA_CERTIFICATE_INVALID'>;

export class KeyError extends CodedError<FindingCode> {}
