/**
 * What programs of the enclave find in their environment, so that SDKs come to the KMS proxy by themselves. AWS_ENDPOINT_URL_KMS is the
 * SDKs' own name for it (AWS SDKs and Tools reference guide, "Service-specific endpoints"), AWS_KMS_ENDPOINT Enclaver's. SDKs refuse to
 * send what they cannot sign: they get credentials that mean nothing, and are kept from looking for others.
 */
import type { KmsProxySection } from '../../config/app/kms-proxy.ts';
import { formatAuthority, type TcpEndpoint } from '../../wire/endpoint.ts';

const DUMMY = {
  AWS_ACCESS_KEY_ID: 'ENCLAVEKMSPROXY00000',
  AWS_SECRET_ACCESS_KEY: 'means-nothing-the-kms-proxy-signs-anew',
  AWS_EC2_METADATA_DISABLED: 'true',
};

export function environmentFor(
  address: TcpEndpoint,
  { regions }: Pick<KmsProxySection, 'regions'>,
): Readonly<Record<string, string>> {
  const url = `http://${formatAuthority(address)}`;
  const region = regions[0]?.region ?? '';
  return { AWS_ENDPOINT_URL_KMS: url, AWS_KMS_ENDPOINT: url, AWS_REGION: region, AWS_DEFAULT_REGION: region, ...DUMMY };
}
