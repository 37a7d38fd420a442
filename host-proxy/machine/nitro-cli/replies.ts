/**
 * What nitro-cli prints on standard output: one JSON object after run-enclave and terminate-enclave, an array after
 * describe-enclaves. Shapes: aws-nitro-enclaves-cli 1.5, src/common/json_output.rs; keys that later releases add are let pass.
 */
import { z } from 'zod';
import { EnclaveError } from '../errors.ts';

const enclaveId = z.string().regex(/^[A-Za-z0-9-]{1,64}-enc[0-9a-f]{1,16}$/);
const u32 = z.int().min(0).max(0xffff_ffff);
const processId = u32.min(1);

const runInfo = z.object({
  EnclaveName: z.string().optional(),
  EnclaveID: enclaveId,
  ProcessID: processId,
  EnclaveCID: u32,
  NumberOfCPUs: u32,
  CPUIDs: z.array(u32),
  MemoryMiB: u32,
});
export type RunInfo = z.infer<typeof runInfo>;

const describedEnclave = z.object({
  EnclaveName: z.string().optional(),
  EnclaveID: enclaveId,
  ProcessID: processId,
  EnclaveCID: u32,
  State: z.enum(['RUNNING', 'TERMINATING', 'EMPTY']),
  Flags: z.string(),
});
export type DescribedEnclave = z.infer<typeof describedEnclave>;

function parse<Schema extends z.ZodType>(schema: Schema, text: string, command: string): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new EnclaveError('ENCLAVE_NITRO_CLI_REPLY', `nitro-cli ${command} answered in an unknown form`, {
      found: text.trim().slice(0, 200) || 'nothing',
      cause,
    });
  }
}

/** @throws EnclaveError ENCLAVE_NITRO_CLI_REPLY */
export function parseRunInfo(text: string): RunInfo {
  return parse(runInfo, text, 'run-enclave');
}

/** @throws EnclaveError ENCLAVE_NITRO_CLI_REPLY */
export function parseDescribed(text: string): readonly DescribedEnclave[] {
  return parse(z.array(describedEnclave), text, 'describe-enclaves');
}
