/**
 * The CDK app: `cdk synth -c deployment=FILE` makes the templates of what docs/deploy-cdk.md tells. Needs no AWS account and no network:
 * nothing is looked up, all that is particular stands in deployment.yaml.
 */
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { CONFIG_ERRORS, ConfigError } from '../../config/errors.ts';
import { describeError } from '../../runtime/errors.ts';
import { DEPLOY_ERRORS, DeployError } from '../errors.ts';
import { readDeployment } from './config/read.ts';
import { addDeployment } from './stacks/deployment.ts';

function adviceOn(error: unknown): string {
  if (error instanceof DeployError) return DEPLOY_ERRORS[error.code].action;
  return error instanceof ConfigError ? CONFIG_ERRORS[error.code].action : '';
}

try {
  const app = new App();
  const file: unknown = app.node.tryGetContext('deployment');
  const notes = addDeployment(app, readDeployment(typeof file === 'string' ? file : 'deployment.yaml'));
  for (const note of notes) process.stderr.write(`not made: ${note}\n`);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  app.synth();
} catch (error) {
  process.stderr.write(`${describeError(error)}\n${adviceOn(error)}\n`);
  process.exitCode = 1;
}
