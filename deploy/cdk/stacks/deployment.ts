/** All stacks of a deployment, and in which order they come. What cannot be made yet is left out: the key before its image, say. */
import type { App } from 'aws-cdk-lib';
import type { KnownDeployment, KnownRegion } from '../config/read.ts';
import { DatabaseStack } from './database.ts';
import { FleetStack } from './fleet.ts';
import { FoundationStack } from './foundation.ts';
import { KeyStack } from './key.ts';
import { WatchStack } from './watch.ts';

/** What is not made, and why. */
export type Note = string;

function addRegion(app: App, deployment: KnownDeployment, region: KnownRegion): readonly Note[] {
  const { account, name, key, regions } = deployment;
  const props = { env: { account, region: region.region } };
  const id = (what: string) => `${name}-${region.region}-${what}`;
  const foundation = new FoundationStack(app, id('foundation'), deployment, region, props);
  new WatchStack(app, id('watch'), { ...props, deployment, region, foundation });
  const { database } = region;
  const stack =
    database.kind === 'external'
      ? undefined
      : new DatabaseStack(app, id('database'), { ...props, foundation, region, database });
  if (region !== regions[0] && key.arn === undefined)
    return [`${id('key')}: a replica needs key.arn, the key of ${regions[0]?.region}`];
  const keyStack = new KeyStack(app, id('key'), deployment, region, props);
  keyStack.addStackDependency(foundation, 'the key policy names the role of the parents');
  if (region.knownImage === undefined)
    return [`${id('fleet')}: there is no image yet; until then the key opens for nobody`];
  const databaseHost = database.kind === 'external' ? database.host : (stack?.host ?? '');
  new FleetStack(app, id('fleet'), {
    ...props,
    deployment,
    region,
    image: region.knownImage,
    foundation,
    databaseHost,
  });
  return [];
}

export function addDeployment(app: App, deployment: KnownDeployment): readonly Note[] {
  return deployment.regions.flatMap((region) => addRegion(app, deployment, region));
}
