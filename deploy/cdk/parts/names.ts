/** What things of a deployment are called, where several stacks, or people, must know the name beforehand. */
import type { KnownDeployment } from '../config/read.ts';

export interface Names {
  readonly fleet: string;
  /** Dashboards are of the account, whatever the region: CloudFormation user guide, AWS::CloudWatch::Dashboard. */
  readonly dashboard: string;
  readonly keyAlias: string;
  readonly artifacts: string;
  readonly logGroups: {
    readonly hostProxy: string;
    readonly metrics: string;
    readonly flows: string;
    readonly trail: string;
  };
}

export function namesOf({ account, name }: Pick<KnownDeployment, 'account' | 'name'>, region: string): Names {
  return {
    fleet: `${name}-fleet`,
    dashboard: `${name}-fleet-${region}`,
    keyAlias: `alias/${name}-master`,
    artifacts: `${name}-artifacts-${account}-${region}`,
    logGroups: {
      hostProxy: `/${name}/host-proxy`,
      metrics: `/${name}/metrics`,
      flows: `/${name}/flows`,
      trail: `/${name}/trail`,
    },
  };
}

/** The keys of what lies in the bucket of artifacts: each is named by its own digest. */
export const eifObject = (digest: string) => `images/${digest}.eif`;
export const releaseObject = (digest: string) => `releases/${digest}.tar.gz`;

/** Of the CloudWatch metrics that the agent makes of those of host-proxy. */
export const METRIC_NAMESPACE = 'AcraEnclave';
export const FLEET_DIMENSION = 'fleet';
