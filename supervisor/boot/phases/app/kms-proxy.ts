/** Opens KMS for programs, where enclave.yaml has a section kmsProxy, and tells them where: before the first of them starts. */
import { readFileSync } from 'node:fs';
import { KmsProxy } from '../../../kms-proxy/kms-proxy.ts';
import { privateSocket } from '../../../routes.ts';
import type { Phase } from '../../phase.ts';
import type { CredentialsReady } from '../credentials.ts';
import type { NsmReady } from '../nsm.ts';
import type { AppConfigured } from './configuration.ts';

export interface KmsProxyReady {
  readonly kmsProxy: KmsProxy | undefined;
  readonly kmsProxyEnvironment: Readonly<Record<string, string>>;
}

type Needs = Pick<AppConfigured, 'config' | 'pathOf'> & CredentialsReady & NsmReady;

export const kmsProxyPhase: Phase<Needs, KmsProxyReady> = {
  name: 'kms-proxy',
  deadlineMs: ({ config }) => config.deadlines.kmsProxyMs,
  async run({ config, pathOf, keeper, nsm }, { platform, clock, random, logger, signal, defer }) {
    const { kmsProxy: section } = config;
    if (section === undefined || keeper === undefined) return { kmsProxy: undefined, kmsProxyEnvironment: {} };
    const kmsProxy = new KmsProxy({
      section,
      readMeasured: (file) => readFileSync(pathOf(file)),
      socketPathOf: (route) => privateSocket(platform, route).path,
      nsm,
      credentials: keeper,
      clock,
      random,
      logger,
    });
    await kmsProxy.start(signal);
    defer(() => kmsProxy.stop());
    return { kmsProxy, kmsProxyEnvironment: kmsProxy.environment };
  },
};
