/** Error codes of published measurements: files of measurements, the envelope around them, and the keys that sign it. */
import type { ErrorCatalogue } from '../../runtime/errors.ts';
import { CodedError } from '../../runtime/errors.ts';

const ASK_PUBLISHER =
  'Get the file again from whoever publishes it; if it stays so, tell them, and trust nothing in it.';
const USE_KEY = 'Use a key on P-256 or P-384, or Ed25519: `openssl genpkey -algorithm ed25519`.';

export const MEASUREMENTS_ERRORS = {
  MEASUREMENTS_FILE: {
    meaning: 'A file of measurements, or of a key that signs them, cannot be read, or is too large for one.',
    action: 'Check the path and who may read it.',
  },
  MEASUREMENTS_INVALID: {
    meaning: 'The file is neither a measurements.json nor a signed envelope around measurements.',
    action: 'Name the measurements.json of a build, or what `measurements sign` wrote.',
  },
  MEASUREMENTS_ENVELOPE_INVALID: {
    meaning: 'The envelope of signed measurements is not one as DSSE defines it, or holds something else.',
    action: ASK_PUBLISHER,
  },
  MEASUREMENTS_STATEMENT_INVALID: {
    meaning: 'What the envelope carries is no statement about measurements of this form.',
    action: 'Check that both sides run the same release of acra-enclave; otherwise get the file again.',
  },
  MEASUREMENTS_CONTRADICTORY: {
    meaning: 'PCR16 in the file does not follow from the runtime statement in it.',
    action: ASK_PUBLISHER,
  },
  MEASUREMENTS_INCOMPLETE: {
    meaning:
      'The file lacks a register of the image, or has zeros as a debug enclave shows; or, where it is to be signed, the image or its bill of materials.',
    action: 'Name the measurements.json that `eif build` wrote.',
  },
  MEASUREMENTS_UNSIGNED: {
    meaning: 'Signatures or an age are demanded, and the file is a plain measurements.json, which has neither.',
    action: 'Name the signed file, or demand nothing when you built the image yourself.',
  },
  MEASUREMENTS_SIGNATURE_MISSING: {
    meaning: 'A key whose signature is demanded has not signed.',
    action: 'Ask its owner for a signature; check that the key is theirs by its SHA-256.',
  },
  MEASUREMENTS_SIGNATURE_INVALID: {
    meaning: 'A signature names a key that is demanded and does not verify under it: somebody changed the file.',
    action: ASK_PUBLISHER,
  },
  MEASUREMENTS_EXPIRED: {
    meaning: 'The measurements were signed until a time that has passed.',
    action: 'Get newer ones; check your clock.',
  },
  MEASUREMENTS_FROM_FUTURE: {
    meaning: 'The measurements were issued later than your clock says.',
    action: 'Check your clock.',
  },
  MEASUREMENTS_TOO_OLD: {
    meaning: 'The measurements were issued longer ago than you allow.',
    action: 'Get newer ones, or allow a greater age.',
  },
  MEASUREMENTS_DIFFER: {
    meaning: 'What is to be signed is not what your own file says.',
    action: 'Do not sign. Rebuild with `acra-enclave rebuild --check`, and find out which file differs.',
  },
  MEASUREMENTS_KEY_INVALID: {
    meaning: 'A file of a key does not hold one key of the kind that is needed, or is damaged.',
    action: 'A verifier takes one PUBLIC KEY block, a signer one PRIVATE KEY or EC PRIVATE KEY block, as PEM.',
  },
  MEASUREMENTS_KEY_ALGORITHM: { meaning: 'The key is of a kind that does not sign measurements.', action: USE_KEY },
  MEASUREMENTS_KEY_ENCRYPTED: {
    meaning:
      'The private key is encrypted, and its passphrase is missing or wrong, or it is encrypted in a weak old form.',
    action: 'Give `--passphrase-file`; turn an old form into PKCS #8 with `openssl pkcs8 -topk8`.',
  },
  MEASUREMENTS_KEY_TWICE: {
    meaning: 'The same key is demanded twice: two names would look like two people.',
    action: 'Name each key once.',
  },
} as const satisfies ErrorCatalogue;

export type MeasurementsErrorCode = keyof typeof MEASUREMENTS_ERRORS;

export class MeasurementsError extends CodedError<MeasurementsErrorCode> {}
