/**
 * Where KMS of a region is: what the AWS SDK's own endpoint rules say, so that the enclave dials the very host that every
 * other program with this SDK does. The rules know the partitions: `amazonaws.com` is wrong for half of them.
 * Specification: nitro-formats 3.7; AWS General Reference, "AWS Key Management Service endpoints and quotas".
 */
import { KMSClient } from '@aws-sdk/client-kms';

/** Looks up a rule: no network, no environment, no credentials. */
export function regionalEndpoint(region: string): URL {
  const client = new KMSClient({ region });
  try {
    return client.config.endpointProvider({ Region: region, UseFIPS: false, UseDualStack: false }).url;
  } finally {
    client.destroy();
  }
}
