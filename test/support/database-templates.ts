/** Where databases of tests are copied from, which are made once in a checkout (emulator/postgres/template.ts). */
import { join } from 'node:path';
import { PROJECT } from '../project/imports.ts';

export const DATABASE_TEMPLATES = join(PROJECT, 'node_modules/.cache/acra-enclave-databases');
