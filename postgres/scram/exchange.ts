/** What client and server of SCRAM agree on: names, the header about channel binding, and what is signed (RFC 5802 sections 3, 5.1 and 6). */

export const SCRAM_SHA_256 = 'SCRAM-SHA-256';
export const SCRAM_SHA_256_PLUS = 'SCRAM-SHA-256-PLUS';

/** PostgreSQL's SCRAM_RAW_NONCE_LEN; a multiple of 3, so that its Base64 has no padding. */
export const NONCE_BYTES = 18;

/** The only type of binding that PostgreSQL knows (RFC 5929 section 4). */
export const BINDING_FLAG = 'p=tls-server-end-point';

/** RFC 5802's AuthMessage, over the messages as they crossed the wire. */
export function authMessage(clientFirstBare: Buffer, serverFirst: Buffer, clientFinalWithoutProof: Buffer): Buffer {
  const comma = Buffer.from(',');
  return Buffer.concat([clientFirstBare, comma, serverFirst, comma, clientFinalWithoutProof]);
}

/**
 * The value of `c`, before Base64: the header once more, and the binding's data if it says `p`.
 * @param flag `n`, `y` or BINDING_FLAG
 */
export function bindingInput(flag: string, channelBinding: Buffer | undefined): Buffer {
  const header = Buffer.from(`${flag},,`);
  return flag === BINDING_FLAG && channelBinding ? Buffer.concat([header, channelBinding]) : header;
}
