/** The service of a region: machine image, parent instances, load balancer, alarms. There is one when there is an image. */
import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { partitionOf } from '../../../config/aws-names.ts';
import type { KnownDeployment, KnownImage, KnownRegion } from '../config/read.ts';
import { createAlarms } from '../parts/alarms.ts';
import { createBalancer } from '../parts/balancer.ts';
import { createDashboard } from '../parts/dashboard.ts';
import { createFleet } from '../parts/fleet.ts';
import { hostProxyConfig } from '../parts/instance-files.ts';
import { createMachineImage } from '../parts/machine-image.ts';
import { namesOf } from '../parts/names.ts';
import { networksOf, subnetsOf } from '../parts/network.ts';
import { userDataText } from '../parts/user-data.ts';
import type { FoundationStack } from './foundation.ts';

export interface FleetProps extends StackProps {
  readonly deployment: KnownDeployment;
  readonly region: KnownRegion;
  readonly image: KnownImage;
  readonly foundation: FoundationStack;
  readonly databaseHost: string;
}

export class FleetStack extends Stack {
  constructor(scope: Construct, id: string, props: FleetProps) {
    super(scope, id, props);
    const { deployment, region, image, foundation, databaseHost } = props;
    const names = namesOf(deployment, region.region);
    const balancer = createBalancer(this, foundation, region);
    const hostProxy = hostProxyConfig({
      region,
      balancers: networksOf(subnetsOf(foundation.vpc, 'balancer')),
      databaseHost,
      kmsHost: `kms.${region.region}.${partitionOf(region.region).dnsSuffix}`,
    });
    createFleet(this, {
      foundation,
      names,
      region,
      balancer,
      machineImageId: createMachineImage(this, foundation, names, region, image),
      userData: userDataText({ region: region.region, fleet: names.fleet, hostProxy }),
    });
    createAlarms(this, foundation.topic, names.fleet, balancer, region.fleet.minInstances);
    createDashboard(this, names, balancer);
    new CfnOutput(this, 'ClientsConnectTo', { value: balancer.loadBalancer.attrDnsName });
  }
}
