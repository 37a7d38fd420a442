/**
 * The machine image of the parent instances, made by EC2 Image Builder inside this VPC: Amazon Linux with nitro-cli, host-proxy as
 * `make install` lays it out, and the enclave image. Both come from the bucket under the names of their digests, which are checked here:
 * by whoever made them, not by trust in the bucket. What runs in the enclave need not be believed at all: its measurements decide.
 *
 * What a recipe or component says cannot be changed under its name and version, so its digest is part of the name.
 * EC2 Image Builder user guide, "Use components", "Action modules".
 */
import { createHash } from 'node:crypto';
import { Stack, Validations } from 'aws-cdk-lib';
import { CfnInstanceProfile, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnComponent, CfnImage, CfnImageRecipe, CfnInfrastructureConfiguration } from 'aws-cdk-lib/aws-imagebuilder';
import type { Construct } from 'constructs';
import { stringify } from 'yaml';
import { parentMachine } from '../config/instance-types.ts';
import type { KnownImage, KnownRegion } from '../config/read.ts';
import type { FoundationStack } from '../stacks/foundation.ts';
import { imageBuilderObjects } from './endpoints.ts';
import { EIF_PATH, type InstanceFile, imageFiles } from './instance-files.ts';
import { eifObject, type Names, releaseObject } from './names.ts';
import { subnetsOf } from './network.ts';

const VERSION = '1.0.0';
const DIGEST_CHARACTERS = 12;
const ROOT_DEVICE = '/dev/xvda';
const ROOT_GIB = 20;
const DOWNLOADS = '/tmp/acra-enclave';
/** Of Amazon Linux 2023; libatomic is what Node needs beside glibc. */
const PACKAGES = ['aws-nitro-enclaves-cli', 'amazon-cloudwatch-agent', 'libatomic', 'logrotate', 'tar', 'gzip'];

const shell = (name: string, commands: readonly string[]) => ({
  name,
  action: 'ExecuteBash',
  onFailure: 'Abort',
  inputs: { commands: ['set -euo pipefail', ...commands] },
});

function download(name: string, bucket: string, object: string, destination: string) {
  const inputs = [{ source: `s3://${bucket}/${object}`, destination }];
  return { name, action: 'S3Download', onFailure: 'Abort', inputs };
}

const write = ({ path, mode, text }: InstanceFile) => ({
  path,
  content: text,
  permissions: mode,
  owner: 'root',
  group: 'root',
  overwrite: true,
});

/** @param files what is written beside packages and release */
function componentDocument(bucket: string, image: KnownImage, files: readonly InstanceFile[]): string {
  const [eif, release] = [`${DOWNLOADS}/acra-enclave.eif`, `${DOWNLOADS}/release.tar.gz`];
  const steps = [
    shell('Packages', [`dnf install -y ${PACKAGES.join(' ')}`, `install -d -m 0700 ${DOWNLOADS}`]),
    download('Release', bucket, releaseObject(image.releaseSha256), release),
    download('Image', bucket, eifObject(image.eifSha256), eif),
    shell('Digests', [
      `printf '%s  %s\\n' ${image.releaseSha256} ${release} ${image.eifSha256} ${eif} >${DOWNLOADS}/SHA256SUMS`,
      `sha256sum --strict --check ${DOWNLOADS}/SHA256SUMS`,
    ]),
    shell('Install', [
      `tar -xzf ${release} -C / --no-same-owner --no-overwrite-dir`,
      'systemd-sysusers',
      'systemd-tmpfiles --create',
      `install -m 0640 -o root -g acra-enclave ${eif} ${EIF_PATH}`,
      `rm -rf ${DOWNLOADS}`,
    ]),
    { name: 'Files', action: 'CreateFile', onFailure: 'Abort', inputs: files.map(write) },
    shell('Check', ['systemctl daemon-reload', 'systemctl cat acra-enclave.service', 'acra-enclave --version']),
  ];
  const document = { name: 'acra-enclave', schemaVersion: 1.0, phases: [{ name: 'build', steps }] };
  return stringify(document, { lineWidth: 0 });
}

/** Builds the image, and may read the two objects that it is made of. Its channel to Systems Manager is how Image Builder commands it. */
function createBuilder(scope: Construct, foundation: FoundationStack, image: KnownImage): CfnInstanceProfile {
  const objects = [releaseObject(image.releaseSha256), eifObject(image.eifSha256)];
  const tools = imageBuilderObjects(scope);
  const role = new Role(scope, 'Builder', {
    assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
    description: 'Instances that make the machine image',
    inlinePolicies: {
      artifacts: new PolicyDocument({
        statements: [
          new PolicyStatement({
            actions: ['s3:GetObject'],
            resources: objects.map((object) => foundation.artifacts.arnForObjects(object)),
          }),
        ],
      }),
      tools: new PolicyDocument({
        statements: [new PolicyStatement({ actions: ['s3:GetObject'], resources: [...tools] })],
      }),
      commands: new PolicyDocument({
        statements: [
          new PolicyStatement({
            actions: [
              'ssm:UpdateInstanceInformation',
              'ssmmessages:CreateControlChannel',
              'ssmmessages:CreateDataChannel',
              'ssmmessages:OpenControlChannel',
              'ssmmessages:OpenDataChannel',
              'ec2messages:AcknowledgeMessage',
              'ec2messages:DeleteMessage',
              'ec2messages:FailMessage',
              'ec2messages:GetEndpoint',
              'ec2messages:GetMessages',
              'ec2messages:SendReply',
              'imagebuilder:GetComponent',
            ],
            resources: ['*'],
          }),
        ],
      }),
    },
  });
  Validations.of(role).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason:
      'The agent of Systems Manager, by which Image Builder commands its instance, has no resources to name; the instance lives for one build and holds no key.',
  });
  for (const tool of tools)
    Validations.of(role).acknowledge({
      id: `AwsSolutions-IAM5[Resource::${tool}]`,
      reason: 'What Image Builder brings along lies in buckets of AWS, under names that only it knows.',
    });
  return new CfnInstanceProfile(scope, 'BuilderProfile', { roles: [role.roleName] });
}

/** @returns the ID of the machine image */
export function createMachineImage(
  scope: Construct,
  foundation: FoundationStack,
  names: Names,
  region: KnownRegion,
  image: KnownImage,
): string {
  const { partition } = Stack.of(scope);
  const architecture = parentMachine(region.fleet.instanceType)?.processor === 'aarch64' ? 'arm64' : 'x86';
  const data = componentDocument(names.artifacts, image, imageFiles(names, region));
  const digest = createHash('sha256').update(`${architecture}\n${data}`).digest('hex').slice(0, DIGEST_CHARACTERS);
  const name = `${names.fleet}-${digest}`;
  const component = new CfnComponent(scope, 'Component', { name, version: VERSION, platform: 'Linux', data });
  const recipe = new CfnImageRecipe(scope, 'Recipe', {
    name,
    version: VERSION,
    parentImage: `arn:${partition}:imagebuilder:${region.region}:aws:image/amazon-linux-2023-${architecture}/x.x.x`,
    components: [{ componentArn: component.attrArn }],
    blockDeviceMappings: [
      {
        deviceName: ROOT_DEVICE,
        ebs: { encrypted: true, volumeSize: ROOT_GIB, volumeType: 'gp3', deleteOnTermination: true },
      },
    ],
  });
  const [subnet] = subnetsOf(foundation.vpc, 'endpoints');
  const infrastructure = new CfnInfrastructureConfiguration(scope, 'Infrastructure', {
    name: names.fleet,
    instanceProfileName: createBuilder(scope, foundation, image).ref,
    instanceTypes: [region.fleet.instanceType],
    securityGroupIds: [foundation.groups.builder.securityGroupId],
    ...(subnet !== undefined && { subnetId: subnet.subnetId }),
    instanceMetadataOptions: { httpTokens: 'required', httpPutResponseHopLimit: 1 },
    terminateInstanceOnFailure: true,
  });
  return new CfnImage(scope, 'Image', {
    imageRecipeArn: recipe.attrArn,
    infrastructureConfigurationArn: infrastructure.attrArn,
    // There is nothing to test outside of a parent with enclaves; the life-cycle hook holds each instance back until it serves.
    imageTestsConfiguration: { imageTestsEnabled: false },
    enhancedImageMetadataEnabled: true,
  }).attrImageId;
}
