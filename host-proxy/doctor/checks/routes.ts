/** Whether the ways of host-proxy.yaml meet those that the enclave image says it has: else connections end in nothing. */
import { portsOfHost } from '../../../config/app/app-ports.ts';
import { portMismatches } from '../../../wire/app-ports.ts';
import type { Check } from '../check.ts';
import { failure, ok, skipped, warning } from '../check.ts';
import { factsOfImage, NO_FACTS } from '../facts-of-image.ts';

const ADVICE =
  'Give the way the same name and vsockPort in both files; enclave.yaml is measured, host-proxy.yaml is not.';

export const routesCheck: Check = {
  name: 'routes',
  checked: 'ways in and out of the application',
  examine(context) {
    const { config } = context;
    const facts = factsOfImage(context);
    if (facts === undefined) return skipped(NO_FACTS);
    const { app } = facts;
    if (config.workload !== 'app') {
      if (app === undefined) return ok('the enclave runs Acra, as host-proxy.yaml says');
      return failure('the image holds another application than Acra', 'Say `workload: app` in host-proxy.yaml.');
    }
    if (app === undefined)
      return failure(
        'the image holds Acra, and host-proxy.yaml says workload: app',
        'Build the image of the other enclave.yaml, or leave the word out.',
      );
    const found = portMismatches(app, portsOfHost(config));
    const told = found.map(({ message }) => message).join('; ');
    if (found.length === 0) return ok('both files name the same');
    return found.some(({ kind }) => kind === 'useless') ? failure(told, ADVICE) : warning(told, ADVICE);
  },
};
