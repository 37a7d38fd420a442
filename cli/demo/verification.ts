/**
 * What somebody outside does who trusts nobody here: asks the enclave, on the port that applications use, for a document with a nonce of
 * their own, and holds it against the measurements that were published. Of the demo only the root is its own: no hardware signs here.
 */
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestFiles } from '../../attestation/runtime/folder-digest.ts';
import { stateRuntime } from '../../attestation/runtime/state-runtime.ts';
import type { VerifyReport } from '../../attestation/verify/report.ts';
import { enclaveSchema } from '../../config/enclave.ts';
import { loadConfig } from '../../config/load.ts';
import { loadOrCreateNsmRoot } from '../../emulator/nsm/root.ts';
import { RELEASE } from '../../runtime/release.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { simulatedFolders } from '../simulated/folders.ts';
import { readDemands } from '../verify/demands.ts';
import { judge } from '../verify/judge.ts';
import { sourceOf } from '../verify/source.ts';
import type { Stack } from './stack.ts';

/** For `acra-enclave verify`. */
export interface VerificationFiles {
  readonly measurements: string;
  /** Of the emulated security module. */
  readonly trustRoot: string;
}

export async function writeVerificationFiles(stack: Stack): Promise<VerificationFiles> {
  const { root } = stack.options;
  const folder = stack.enclaveFolder;
  const config = loadConfig(enclaveSchema, join(folder, 'enclave.yaml'));
  const { statement, pcr16 } = stateRuntime({ config, files: await digestFiles(folder), release: RELEASE });
  const Measurements = Object.fromEntries(
    [...stack.measure()].map(([index, value]) => [`PCR${index}`, value.toString('hex')]),
  );
  const published = { Measurements, runtime: { statement, PCR16: pcr16.toString('hex') } };
  const { rootDer } = await loadOrCreateNsmRoot(simulatedFolders(join(root, 'sim')).nsmFolder);
  const files = {
    measurements: join(root, 'client', 'measurements.json'),
    trustRoot: join(root, 'client', 'emulated-root.pem'),
  };
  writeFileSync(files.measurements, `${JSON.stringify(published, null, 2)}\n`);
  writeFileSync(files.trustRoot, new X509Certificate(rootDer).toString());
  return files;
}

export async function verifyAsStranger(
  { measurements, trustRoot }: VerificationFiles,
  { host, port }: TcpEndpoint,
  signal: AbortSignal,
): Promise<VerifyReport> {
  const source = sourceOf({ connect: `${host}:${port}` });
  const fetched = await source.fetch(signal);
  return judge(fetched, { ...(await readDemands({ measurements, trustRoot })), ...source.demands });
}
