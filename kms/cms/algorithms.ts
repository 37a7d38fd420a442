/**
 * The only algorithms of a recipient envelope: RSAES-OAEP with SHA-256, MGF1 with SHA-256 and an empty label; AES-256-CBC.
 * Specification: RFC 4055 section 4.1 (defaults are SHA-1, so the hashes must be stated); RFC 3565; nitro-formats 3.7.
 */
import type { Asn1Node } from '../../encoding/asn1/reader.ts';
import { TAG } from '../../encoding/asn1/reader.ts';
import { expectMembers, expectOid, expectTag } from '../../encoding/asn1/shape.ts';
import { FormatError } from '../../encoding/format-error.ts';
import { CmsError } from '../errors.ts';

/** Contents octets of object identifiers, in hex. */
const OID_RSAES_OAEP = '2a864886f70d010107';
const OID_MGF1 = '2a864886f70d010108';
const OID_P_SPECIFIED = '2a864886f70d010109';
const OID_SHA256 = '608648016503040201';

/**
 * @param oid contents octets in hex
 * @returns the parameters, or undefined when there are none
 * @throws CmsError CMS_UNSUPPORTED for another algorithm
 */
export function expectAlgorithm(what: string, node: Asn1Node | undefined, oid: string): Asn1Node | undefined {
  const { children, offset } = expectTag(`${what} algorithm`, node, TAG.sequence);
  const [algorithm, parameters, ...rest] = children;
  const found = expectOid(`${what} algorithm`, algorithm).toString('hex');
  if (rest.length > 0) throw new FormatError(`${what} algorithm has extra members`, offset);
  if (found === oid) return parameters;
  throw new CmsError('CMS_UNSUPPORTED', `${what} algorithm is not supported`, {
    found: `OID ${found}`,
    allowed: `OID ${oid}`,
  });
}

/** RFC 4055 section 2.1: parameters NULL or absent. */
function expectSha256(what: string, node: Asn1Node | undefined): void {
  const parameters = expectAlgorithm(what, node, OID_SHA256);
  if (parameters === undefined) return;
  if (expectTag(`parameters of ${what}`, parameters, TAG.null).content.length > 0) {
    throw new FormatError(`parameters of ${what} must be NULL`, parameters.offset);
  }
}

function unwrap(what: string, node: Asn1Node | undefined, tag: number): Asn1Node | undefined {
  if (node?.tag !== tag) {
    throw new CmsError('CMS_UNSUPPORTED', `${what} of RSAES-OAEP is left at its default`, { allowed: 'SHA-256' });
  }
  return expectMembers(what, node, tag, 1)[0];
}

/** Only the default, the empty label, which encoders leave out or write. */
function expectEmptyLabel(node: Asn1Node): void {
  const [source] = expectMembers('label', node, TAG.contextConstructed2, 1);
  const label = expectTag('label', expectAlgorithm('label', source, OID_P_SPECIFIED), TAG.octetString);
  if (label.content.length > 0) throw new CmsError('CMS_UNSUPPORTED', 'RSAES-OAEP has a label');
}

/**
 * @throws FormatError
 * @throws CmsError CMS_UNSUPPORTED
 */
export function expectOaepSha256(node: Asn1Node | undefined): void {
  const parameters = expectAlgorithm('key encryption', node, OID_RSAES_OAEP);
  const [hash, maskGeneration, label, ...rest] = expectTag('RSAES-OAEP parameters', parameters, TAG.sequence).children;
  expectSha256('hash', unwrap('hash', hash, TAG.contextConstructed0));
  const mask = unwrap('mask generation', maskGeneration, TAG.contextConstructed1);
  expectSha256('mask generation hash', expectAlgorithm('mask generation', mask, OID_MGF1));
  if (label !== undefined) expectEmptyLabel(label);
  if (rest.length > 0) throw new FormatError('RSAES-OAEP parameters have extra members', rest[0]?.offset);
}
