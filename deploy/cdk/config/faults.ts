/** What no field of a deployment shows alone: parts that contradict each other. */
import { parseKeyArn, partitionOf } from '../../../config/aws-names.ts';
import { matcherOf } from '../../../wire/networks.ts';
import { addressOf, prefixOf } from './fields.ts';
import { parentMachine } from './instance-types.ts';
import type { RegionConfig } from './region.ts';

export interface Fault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

interface KeyPart {
  readonly arn?: string | undefined;
  readonly deployer: string;
  readonly administrators: readonly string[];
  readonly policyAdministrators: readonly string[];
  readonly multiRegion: boolean;
}

interface Whole {
  readonly account: string;
  readonly name: string;
  readonly key: KeyPart;
  readonly regions: readonly RegionConfig[];
}

/** What the parent's own programs need. */
const PARENT_MEMORY_MIB = 2_048;

/** The role of the parent instances, which the enclave asks KMS in the name of. */
export function parentRoleArn({ account, name }: Pick<Whole, 'account' | 'name'>, region: string): string {
  return `arn:${partitionOf(region).name}:iam::${account}:role/${name}-parent-${region}`;
}

/** KMS takes no policy that names somebody of another partition, and CloudFormation makes keys in the deployer's own account alone. */
function* principalFaults({ account, key, name, regions }: Whole): Generator<Fault> {
  const roles = regions.map(({ region }) => parentRoleArn({ account, name }, region));
  const partition = partitionOf(regions[0]?.region ?? '').name;
  for (const [field, arns] of Object.entries({
    deployer: [key.deployer],
    administrators: key.administrators,
    policyAdministrators: key.policyAdministrators,
  })) {
    if (arns.some((arn) => !arn.startsWith(`arn:${partition}:`)))
      yield {
        path: ['key', field],
        message: `must be of partition ${partition}, as the regions are: arn:${partition}:iam::…`,
      };
    if (arns.some((arn) => roles.includes(arn)))
      yield {
        path: ['key', field],
        message: 'must not name the role of the parent instances: whoever has root there has it',
      };
    if (new Set(arns).size < arns.length) yield { path: ['key', field], message: 'must name each once' };
  }
  if (!key.deployer.includes(`:iam::${account}:`))
    yield {
      path: ['key', 'deployer'],
      message: `must be of account ${account}: only from there the key can be deployed`,
    };
}

function* keyFaults({ account, key, regions }: Whole): Generator<Fault> {
  if (regions.length > 1 && !key.multiRegion)
    yield {
      path: ['key', 'multiRegion'],
      message: 'must be true where there are several regions: one key material opens in all',
    };
  const told = key.arn === undefined ? undefined : parseKeyArn(key.arn);
  if (told === undefined) {
    for (const [index, { image }] of regions.entries())
      if (image !== undefined)
        yield {
          path: ['regions', index, 'image'],
          message: 'needs key.arn: enclave.yaml names the key, so it is made before the image',
        };
    return;
  }
  if (told.account !== account || told.region !== regions[0]?.region)
    yield {
      path: ['key', 'arn'],
      message: `must be a key of account ${account} in ${regions[0]?.region}, the first region`,
    };
  if (key.multiRegion !== told.keyId.startsWith('mrk-'))
    yield {
      path: ['key', 'arn'],
      message: key.multiRegion
        ? 'must be a multi-Region key, mrk-…'
        : 'is a multi-Region key, and multiRegion is false',
    };
}

function* zoneFaults({ region, zones, database }: RegionConfig): Generator<Fault> {
  for (const [index, zone] of zones.entries())
    if (zone.slice(0, -1) !== region) yield { path: ['zones', index], message: `must be a zone of ${region}` };
  if (new Set(zones).size < zones.length) yield { path: ['zones'], message: 'must name each zone once' };
  if (database.kind !== 'external' && zones.length < 2)
    yield {
      path: ['zones'],
      message: `must name at least two zones for database.kind ${database.kind}, which has a standby in another`,
    };
}

function* fleetFaults({ fleet, zones }: RegionConfig): Generator<Fault> {
  const at = (field: string, message: string): Fault => ({ path: ['fleet', field], message });
  const machine = parentMachine(fleet.instanceType);
  if (machine === undefined) return;
  const { vcpus, memoryMiB, threadsPerCore } = machine;
  const mostCpus = vcpus - threadsPerCore;
  if (fleet.enclaveCpus % threadsPerCore !== 0)
    yield at('enclaveCpus', 'must be even: two threads of a core are given away together');
  if (fleet.enclaveCpus > mostCpus)
    yield at(
      'enclaveCpus',
      `must be at most ${mostCpus} of the ${vcpus} of ${fleet.instanceType}: the first core is the parent’s`,
    );
  if (fleet.enclaveMemoryMiB > memoryMiB - PARENT_MEMORY_MIB)
    yield at(
      'enclaveMemoryMiB',
      `must be at most ${memoryMiB - PARENT_MEMORY_MIB}: ${fleet.instanceType} has ${memoryMiB}, and the parent needs ${PARENT_MEMORY_MIB}`,
    );
  if (fleet.maxInstances <= fleet.minInstances)
    yield at('maxInstances', 'must be more than minInstances: a new image starts beside the old one');
  if (fleet.minInstances < zones.length)
    yield at('minInstances', `must be at least ${zones.length}, one instance in each zone`);
}

function* administratorFaults({ clients, database }: RegionConfig): Generator<Fault> {
  if (database.kind === 'external' || database.administeredFrom.length === 0 || clients.routedBy !== undefined) return;
  yield {
    path: ['database', 'administeredFrom'],
    message: 'needs clients.routedBy, the transit gateway by which they come',
  };
}

/** A route to what the VPC has itself is refused by EC2, and a second one to the same network too. */
function* routeFaults({ network, clients, database }: RegionConfig): Generator<Fault> {
  for (const [part, networks] of Object.entries({
    clients: clients.networks,
    ...(database.kind === 'external' ? { database: database.networks } : { administrators: database.administeredFrom }),
  })) {
    const path = part === 'administrators' ? ['database', 'administeredFrom'] : [part, 'networks'];
    const isOfVpc = matcherOf([network.cidr]);
    if (new Set(networks).size < networks.length) yield { path, message: 'must name each network once' };
    for (const [index, each] of networks.entries())
      if (isOfVpc(addressOf(each)) && prefixOf(each) >= prefixOf(network.cidr))
        yield {
          path: [...path, index],
          message: `must not lie in network.cidr, ${network.cidr}, whose subnets are all taken`,
        };
  }
}

function* networkFaults(whole: Whole): Generator<Fault> {
  const names = whole.regions.map(({ region }) => region);
  if (new Set(names).size < names.length) yield { path: ['regions'], message: 'must name each region once' };
  const partitions = new Set(names.map((name) => partitionOf(name).name));
  if (partitions.size > 1)
    yield { path: ['regions'], message: 'must all be of one partition: accounts and keys end with it' };
}

/** @returns what to tell, each at its path */
export function deploymentFaults(whole: Whole): readonly Fault[] {
  const ofRegions = whole.regions.flatMap((region, index) =>
    [...zoneFaults(region), ...routeFaults(region), ...administratorFaults(region), ...fleetFaults(region)].map(
      ({ path, message }) => ({
        path: ['regions', index, ...path],
        message,
      }),
    ),
  );
  return [...principalFaults(whole), ...keyFaults(whole), ...networkFaults(whole), ...ofRegions];
}
