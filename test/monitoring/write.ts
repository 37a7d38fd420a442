/** Writes deploy/monitoring/acra-enclave.rules.test.yaml (`make monitoring-files`). */
import { unitTestsFile } from './unit-tests.ts';

process.stdout.write(unitTestsFile());
