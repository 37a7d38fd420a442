/** Which boot an enclave walks: the measured `enclave.yaml` says it by its workload, and by nothing else. */
import { join } from 'node:path';
import { workloadOf } from '../../config/any-enclave.ts';
import type { Serving } from '../serving.ts';
import { appTable } from './app-table.ts';
import type { BootTable } from './phase.ts';
import { bootTable } from './table.ts';

/** @param folder the measured folder */
export function tableFor(folder: string): BootTable<Serving> {
  return workloadOf(join(folder, 'enclave.yaml')) === 'app' ? appTable : bootTable;
}
