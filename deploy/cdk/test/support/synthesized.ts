/** What `cdk synth` makes of an example, as JSON: the command itself runs, and the tests read what it wrote. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type KnownDeployment, readDeployment } from '../../config/read.ts';

export const APP = fileURLToPath(new URL('../../', import.meta.url));
export const EXAMPLES = ['single-zone', 'multi-az', 'multi-region'] as const;
export type Example = (typeof EXAMPLES)[number];
export const exampleFile = (example: Example) => join(APP, 'examples', `${example}.yaml`);

export type Json = Readonly<Record<string, unknown>>;

export interface Resource {
  readonly stack: string;
  readonly id: string;
  readonly type: string;
  /** As CloudFormation gets them. */
  readonly properties: Json;
}

interface Violation {
  readonly plugin: string;
  readonly rule: string;
  readonly severity: string;
}

export interface Synthesized {
  readonly deployment: KnownDeployment;
  /** By the stack's name. */
  readonly templates: ReadonlyMap<string, Json>;
  readonly resources: readonly Resource[];
  readonly violations: readonly Violation[];
  readonly told: string;
}

const SUFFIX = '.template.json';
const parse = (file: string) => JSON.parse(readFileSync(file, 'utf8'));

function resourcesOf(stack: string, template: Json): readonly Resource[] {
  const resources = Object.entries(template['Resources'] as Readonly<Record<string, Json>>);
  return resources.map(([id, { Type, Properties }]) => ({
    stack,
    id,
    type: Type as string,
    properties: (Properties ?? {}) as Json,
  }));
}

function violationsOf(folder: string): readonly Violation[] {
  const { pluginReports } = parse(join(folder, 'validation-report.json'));
  return pluginReports.flatMap(({ pluginName, violations }: { pluginName: string; violations: Json[] }) =>
    violations.map(({ ruleName, severity }) => ({ plugin: pluginName, rule: ruleName, severity })),
  );
}

/** Without credentials, and without what the environment knows of any. */
export function synthesize(example: Example): Synthesized {
  const folder = mkdtempSync(join(tmpdir(), 'ae-cdk-'));
  try {
    const command = join(APP, 'node_modules/aws-cdk/bin/cdk');
    const args = ['synth', '--quiet', '--context', `deployment=${exampleFile(example)}`, '--output', folder];
    const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
    const env = {
      PATH,
      HOME,
      NODE_COMPILE_CACHE,
      AWS_EC2_METADATA_DISABLED: 'true',
      CDK_DISABLE_CLI_TELEMETRY: 'true',
    };
    const { status, stderr, stdout } = spawnSync(process.execPath, [command, ...args], {
      cwd: APP,
      env,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`cdk synth of ${example} ended with ${status}:\n${stdout}${stderr}`);
    const names = readdirSync(folder).filter((name) => name.endsWith(SUFFIX));
    const templates = new Map(names.map((name) => [name.slice(0, -SUFFIX.length), parse(join(folder, name))]));
    return {
      deployment: readDeployment(exampleFile(example)),
      templates,
      resources: [...templates].flatMap(([stack, template]) => resourcesOf(stack, template)),
      violations: violationsOf(folder),
      told: stderr,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
