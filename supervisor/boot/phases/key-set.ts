/**
 * With `keys.source: parent`: a key set is there, opened and fit to serve with. The parent brings it; where there is none yet, operators hold a
 * ceremony, and the parent brings what that made. What is brought and refused leaves the boot as it is: another may come. With
 * `keys.source: image` there is nothing to wait for. Specification: docs/specs/key-sets.md, 4.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parentKeysOf } from '../../../config/keys.ts';
import type { KeyKeeper } from '../../../keys/keepers/keeper.ts';
import { describeCount, type ShareCount } from '../../../keys/keepers/loaded-shares.ts';
import { KmsError } from '../../../kms/errors.ts';
import { describeError, errorCode } from '../../../runtime/errors.ts';
import { KEY_SET_AWAITED, KEY_SHARES_AWAITED } from '../../../wire/control/messages.ts';
import { AskedKeeper } from '../../keys/asked-keeper.ts';
import type { KeyDesk, KeyWork } from '../../keys/key-desk.ts';
import { loadShare } from '../../keys/load-share.ts';
import { type MakeSetDeps, makeKeySet } from '../../keys/make-set.ts';
import { type TakenKeys, takeKeySet } from '../../keys/take-set.ts';
import { type AttestedKeepers, attestedKeepers } from '../attested-keeper.ts';
import type { KmsNeeds } from '../attested-kms.ts';
import { retryPatiently } from '../patience.ts';
import type { Phase, PhaseContext } from '../phase.ts';
import type { BootStart } from '../start.ts';
import type { Committed } from './commitment.ts';
import type { Configured } from './configuration.ts';
import type { Measured } from './nsm.ts';
import type { RequestsReady } from './requests.ts';

export interface KeySetReady {
  /** Undefined where keys lie in the image. */
  readonly brought: BroughtKeys | undefined;
}

export interface BroughtKeys {
  /** The desk's to dispose of. */
  readonly first: TakenKeys;
  readonly desk: KeyDesk;
  readonly keyKeeper: KeyKeeper;
}

type Needs = Pick<BootStart, 'folder'> &
  KmsNeeds &
  Pick<Configured, 'encryptorConfig'> &
  Measured &
  Committed &
  Pick<RequestsReady, 'enclaveKey' | 'keyDesk'>;

export const keySetPhase: Phase<Needs, KeySetReady> = {
  name: 'key-set',
  deadlineMs: ({ config }) => (parentKeysOf(config) === undefined ? 1_000 : config.deadlines.keySetMs),
  async run(have, context) {
    const { keyDesk: desk } = have;
    if (desk === undefined) return { brought: undefined };
    const folder = await emptyFolder(context);
    const keepers = attestedKeepers(have, context);
    const { keeper: keyKeeper, operators } = keepers;
    context.defer(() => operators.dispose());
    desk.open(workOf({ ...have, keepers, folder }, desk, context));
    context.defer(() => desk.stop());
    const { holdsCeremony } = desk;
    context.logger.log('warn', 'keys.awaited', { ceremony: holdsCeremony });
    context.status.set({ detail: awaited(desk), errorCode: KEY_SET_AWAITED });
    return { brought: { first: await desk.firstSet(context.signal), desk, keyKeeper } };
  },
};

/** In memory. What a simulated enclave that was killed has left there goes. */
async function emptyFolder({ platform }: PhaseContext): Promise<string> {
  const folder = join(platform.runtimeFolder, 'keys');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: 0o700 });
  return folder;
}

function awaited({ holdsCeremony }: KeyDesk): string {
  return holdsCeremony
    ? 'no key set: waiting for the parent to bring one, or for a ceremony (`acra-enclave keys ceremony`, docs/keys.md)'
    : 'waiting for the parent to bring a key set';
}

interface Place {
  readonly keepers: AttestedKeepers;
  readonly folder: string;
}

function workOf(have: Needs & Place, desk: KeyDesk, context: PhaseContext): KeyWork {
  const { clock, random, logger, status } = context;
  const { config, pathOf, nsm, stated, enclaveKey, keepers, folder } = have;
  const { keeper, operators } = keepers;
  const image = have.measurements['PCR0'] ?? '';
  const place = { config, pathOf, nsm, image, folder, random, logger };
  const deps: MakeSetDeps = { ...place, keeper, stated, enclaveKey, clock, encryptorConfig: have.encryptorConfig };
  const { commitment } = stated;
  const ofOperators = { operators, name: config.name, commitment, privateKey: enclaveKey.privateKey };
  return {
    async load(file) {
      const loaded = await loadShare(file, ofOperators);
      if (desk.awaitsFirstSet) status.set(awaitedShares(loaded.count));
      return loaded;
    },
    make: (approved, action, having, signal) => makeKeySet(approved, action, having, deps, signal),
    async take(brought, follows, signal) {
      const asked = new AskedKeeper(keeper, clock);
      if (follows !== undefined) return asked.gave(await takeKeySet(brought, follows, asked.open, deps, signal));
      const boot = { ...context, signal: AbortSignal.any([signal, context.signal]) };
      status.set({ detail: 'taking the key set that the parent brought', errorCode: null });
      try {
        return asked.gave(await takeKeySet(brought, undefined, patiently(asked, boot), deps, boot.signal));
      } catch (error) {
        if (context.signal.aborted) throw error;
        const count = errorCode(error) === KEY_SHARES_AWAITED ? operators.awaited : undefined;
        if (count !== undefined) {
          status.set(awaitedShares(count));
          throw error;
        }
        const refusal = `the last one that was brought is refused: ${describeError(error)}`;
        const detail = `${awaited(desk)}; ${refusal}`;
        status.set({ detail, errorCode: KEY_SET_AWAITED });
        throw error;
      }
    },
  };
}

function awaitedShares(count: ShareCount): { readonly detail: string; readonly errorCode: string } {
  const detail = `waiting for key shares of operators: ${describeCount(count)} (\`acra-enclave keys load\`)`;
  return { detail, errorCode: KEY_SHARES_AWAITED };
}

/** As with a key of the image: throttling, outages and expired credentials pass, refusals do not. */
function patiently({ open }: Pick<KeyKeeper, 'open'>, context: PhaseContext): KeyKeeper['open'] {
  return (set, signal) =>
    retryPatiently(
      {
        what: 'waiting for KMS to open the key set',
        attempt: () => open(set, signal),
        isTemporary: (error) => error instanceof KmsError && error.retryable,
      },
      { ...context, signal },
    );
}
