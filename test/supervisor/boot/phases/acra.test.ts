import { join } from 'node:path';
import t from 'tap';
import { enclaveSchema } from '../../../../config/enclave.ts';
import { loadConfig } from '../../../../config/load.ts';
import { acraPhase } from '../../../../supervisor/boot/phases/acra.ts';
import { SupervisorError } from '../../../../supervisor/errors.ts';
import { PROJECT } from '../../../project/imports.ts';
import { rejectsCode } from '../../../support/coded-error.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { phaseContext } from '../../support/phase-context.ts';

t.test('rejects to put acra-server in line where TLS should end before it (BOOT_FRONT_MISSING)', async (t) => {
  const config = loadConfig(enclaveSchema, join(PROJECT, 'examples/enclave.yaml'));
  t.equal(config.ingress.tls, 'terminate');
  const context = { ...phaseContext('acra', new FakeClock(0)), signal: new AbortController().signal };
  const have = { config } as Parameters<typeof acraPhase.run>[0];
  const error = await rejectsCode(() => acraPhase.run(have, context), SupervisorError, 'BOOT_FRONT_MISSING');
  t.equal(error.allowed, 'ingress.tls: passthrough');
});
