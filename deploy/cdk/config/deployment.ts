/**
 * `deployment.yaml`: everything that a deployment on AWS is told, in one file. Nothing in it is a secret, and nothing is trusted: who may
 * decrypt is decided by measurements, which the key policy names (docs/deploy-cdk.md).
 */
import { z } from 'zod';
import { parseKeyArn } from '../../../config/aws-names.ts';
import { deploymentFaults } from './faults.ts';
import { account, prefix, principal } from './fields.ts';
import { region } from './region.ts';

const MAX_REGIONS = 5;
const MAX_PRINCIPALS = 10;

const key = z.strictObject({
  arn: z
    .string()
    .refine((text) => parseKeyArn(text) !== undefined, { error: 'must be arn:aws:kms:REGION:ACCOUNT:key/ID, no alias' })
    .optional()
    .describe('of the key in the first region, once it is made: replicas and fleets need it'),
  deployer: principal.describe('who deploys the stacks of keys, and so rules who may decrypt; nobody else’s role'),
  administrators: z.array(principal).max(MAX_PRINCIPALS).default([]).describe('look after the key; they never decrypt'),
  policyAdministrators: z
    .array(principal)
    .max(MAX_PRINCIPALS)
    .default([])
    .describe('may put another policy, beside the deployer'),
  multiRegion: z.boolean().default(false).describe('cannot be changed later'),
});

const watch = z
  .strictObject({
    guardDuty: z.boolean().default(true).describe('false where the account has a detector already: it can have one'),
    auditDays: z.int().min(1).max(3_650).default(365).describe('for which nobody can delete the record of CloudTrail'),
    email: z.email().optional().describe('who gets alarms; others subscribe to the topic'),
  })
  .prefault({});

export const deploymentSchema = z
  .strictObject({
    version: z.literal(1),
    account,
    name: prefix,
    key,
    watch,
    regions: z
      .array(region)
      .min(1)
      .max(MAX_REGIONS)
      .describe('the first holds the primary key and the record of CloudTrail'),
  })
  .superRefine((deployment, context) => {
    for (const { path, message } of deploymentFaults(deployment))
      context.addIssue({ code: 'custom', path: [...path], message });
  })
  .describe('deployment.yaml: what `cdk synth` is told');

export type Deployment = z.output<typeof deploymentSchema>;
