/**
 * The AWS SDK with every choice made here: it looks into no environment variable, no file and no metadata service, tries
 * once, logs nothing, and reads answers of a bounded size.
 */
import { KMSClient } from '@aws-sdk/client-kms';
import type { AwsCredentials, KmsConnection } from './connection.ts';
import { collectAnswer } from './response-limit.ts';
import type { KmsTlsAgent } from './tls-agent.ts';

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

interface Answer {
  body: AsyncIterable<Uint8Array>;
}

function isAnswer(response: unknown): response is Answer {
  return typeof response === 'object' && response !== null && 'body' in response;
}

/** Closest to the network, so that the body is bounded before anything interprets it. */
function limitAnswers(client: KMSClient): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { response } = result;
      if (isAnswer(response)) Object.assign(response, { body: await collectAnswer(response.body) });
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'limitAnswers' },
  );
}

/**
 * A client for one request: the SDK keeps credentials for as long as it sees fit, so it is not given the chance.
 * The agent belongs to the caller.
 */
export function awsKmsClient(connection: KmsConnection, credentials: AwsCredentials, agent: KmsTlsAgent): KMSClient {
  const client = new KMSClient({
    region: connection.region,
    endpoint: connection.endpoint.href,
    credentials: { ...credentials },
    requestHandler: { httpsAgent: agent },
    maxAttempts: 1,
    retryMode: 'standard',
    defaultsMode: 'standard',
    authSchemePreference: ['sigv4'],
    disableClockSkewCorrection: true,
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    userAgentAppId: 'acra-enclave',
    logger: SILENT,
  });
  limitAnswers(client);
  return client;
}
