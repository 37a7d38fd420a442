/** Writes deploy/monitoring/acra-enclave.rules.yaml (`make monitoring-files`); a test in test/monitoring/ holds the file to it. */
import { rulesFile } from './monitoring/rules.ts';

process.stdout.write(rulesFile());
