/** The folders of the product's own code, and who may import whom (docs/architecture.md draws it). */

/** Knowledge that several folders need (docs/decisions/0014-ground-floors.md). */
export const GROUND = ['runtime', 'system', 'encoding', 'postgres', 'wire', 'config'];
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  runtime: [],
  system: ['runtime', 'wire'],
  encoding: ['runtime'],
  postgres: ['runtime'],
  wire: ['runtime'],
  config: ['runtime', 'wire', 'encoding'],
  relay: ['runtime', 'system', 'postgres', 'wire'],
  attestation: ['runtime', 'system', 'encoding', 'wire', 'config'],
  kms: ['runtime', 'encoding', 'wire', 'attestation'],
  acra: GROUND,
  sessions: [...GROUND, 'acra'],
  keys: [...GROUND, 'attestation', 'kms', 'acra'],
  supervisor: [...GROUND, 'relay', 'attestation', 'kms', 'keys', 'acra', 'sessions'],
  'host-proxy': [...GROUND, 'relay', 'attestation', 'keys', 'eif'],
  eif: [...GROUND, 'attestation'],
  emulator: [...GROUND, 'attestation', 'kms', 'acra'],
  deploy: ['runtime', 'system', 'wire', 'attestation', 'eif'],
  'deploy/cdk': ['runtime', 'wire', 'config', 'deploy'],
  cli: [
    ...GROUND,
    'relay',
    'attestation',
    'kms',
    'keys',
    'acra',
    'supervisor',
    'host-proxy',
    'eif',
    'emulator',
    'deploy',
  ],
};

/** Each holds what stands below it, the CDK app too. */
export const SOURCE_FOLDERS: readonly string[] = Object.keys(MAY_IMPORT).filter((folder) => !folder.includes('/'));

/** The CDK app has packages of its own, which the product does not see, and so a folder of its own in the table. */
export function folderOf(file: string): string {
  return file.startsWith('deploy/cdk/') ? 'deploy/cdk' : (file.split('/')[0] ?? '');
}
