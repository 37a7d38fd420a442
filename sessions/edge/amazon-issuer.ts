/**
 * What `database.ca` lacks where a database of Amazon's is not trusted: RDS has CAs of its own, for each region, and RDS Proxy shows what AWS
 * Certificate Manager issues. Names prove nothing; they tell the operator what to look at.
 * Sources: RDS User Guide, "Using SSL/TLS to encrypt a connection to a DB instance or cluster"; AWS Prescriptive Guidance, "Amazon RDS Proxy",
 * best practices; Amazon Trust Services, repository.
 */
import type { X509Certificate } from 'node:crypto';

const OF_RDS = /^CN=Amazon RDS /m;
const OF_TRUST_SERVICES = /^CN=Amazon (?:RSA|ECDSA|Root CA) ?[A-Z0-9 ]+$/m;

/** Undefined where it is of somebody else. */
export function amazonHint({ issuer }: Pick<X509Certificate, 'issuer'>): string | undefined {
  if (OF_RDS.test(issuer)) {
    return 'it names a CA of RDS: is database.ca the bundle of its region (truststore.pki.rds.amazonaws.com)?';
  }
  if (OF_TRUST_SERVICES.test(issuer)) {
    return 'it names Amazon Trust Services, as RDS Proxy does, not RDS: database.ca then needs Amazon Root CA 1 to 4';
  }
  return undefined;
}
