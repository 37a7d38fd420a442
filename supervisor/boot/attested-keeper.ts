/**
 * The keepers that the measured configuration names, asked as this enclave asks KMS: attested, each key by the private route to it, once.
 * Operators are asked by nobody: they come.
 */
import { parentKeysOf } from '../../config/keys.ts';
import { keepersByKind } from '../../keys/keepers/by-kind.ts';
import type { KeyKeeper } from '../../keys/keepers/keeper.ts';
import { KmsKeeper } from '../../keys/keepers/kms.ts';
import { OperatorsKeeper } from '../../keys/keepers/operators.ts';
import { readRecipients } from '../../keys/keepers/recipients.ts';
import type { ShareFailure } from '../../keys/keepers/share-failure.ts';
import { ThresholdKeeper } from '../../keys/keepers/threshold.ts';
import type { KeptBy } from '../../keys/set/kept-by.ts';
import type { AttestedKms } from '../../kms/client.ts';
import { describeError, errorCode } from '../../runtime/errors.ts';
import { askKmsOnce, type KmsNeeds } from './attested-kms.ts';
import type { PhaseContext } from './phase.ts';
import type { BootStart } from './start.ts';

export interface AttestedKeepers {
  /** All of them. */
  readonly keeper: KeyKeeper;
  /** Takes the shares that operators load; the caller's to dispose of. */
  readonly operators: OperatorsKeeper;
}

type Needs = KmsNeeds & Pick<BootStart, 'folder'>;
type Context = Pick<PhaseContext, 'platform' | 'random' | 'logger'>;

/** @throws KeyError KEY_OPERATOR_INVALID, KEY_OPERATOR_TWICE */
export function attestedKeepers(have: Needs, context: Context): AttestedKeepers {
  const { config, folder } = have;
  const kept = parentKeysOf(config)?.keeper ?? { kind: 'kms' };
  const operators = new OperatorsKeeper({
    enclave: config.name,
    // Where others keep the data keys, none are made for operators.
    k: kept.kind === 'operators' ? kept.k : 0,
    recipients: readRecipients(folder, config),
    random: context.random,
    takesOthers: (parentKeysOf(config)?.madeIn ?? []).length > 0,
  });
  const openers = new Map<KeptBy['kind'], KeyKeeper>([...kmsKeepers(have, context), ['operators', operators]]);
  return { keeper: keepersByKind(kept.kind, openers), operators };
}

function kmsKeepers(have: Needs, context: Context): readonly (readonly [KeptBy['kind'], KeyKeeper])[] {
  const { config } = have;
  const { kms, name: enclave } = config;
  if (kms === undefined) return [];
  const { keyArn, encryptionContext } = kms;
  const kept = parentKeysOf(config);
  const formerKeyArns = kept?.formerKmsKeys ?? [];
  // Where one key keeps the data keys, none are shared out.
  const shared = kept?.keeper.kind === 'threshold' ? kept.keeper : { k: 0, keys: [{ keyArn }] };
  const keyArns = shared.keys.map((key) => key.keyArn);
  const kmsOf = (arn: string) => attestedKmsOf(arn, have, context);
  const { random, logger } = context;
  const onFailure = ({ keyArn: missing, error }: ShareFailure) => {
    const [code, reason] = [errorCode(error) ?? null, describeError(error)];
    logger.log('warn', 'keys.share-missing', { keyArn: missing, code, reason });
  };
  const options = { enclave, k: shared.k, keyArns, formerKeyArns, encryptionContext, kmsOf, random, onFailure };
  return [
    ['kms', new KmsKeeper({ kmsOf, keyArn, encryptionContext, formerKeyArns: [...keyArns, ...formerKeyArns] })],
    ['threshold', new ThresholdKeeper(options)],
  ];
}

/** Of the key, where that is. */
function attestedKmsOf(
  keyArn: string,
  have: Needs,
  { platform }: Context,
): Pick<AttestedKms, 'decrypt' | 'generateDataKey'> {
  return {
    decrypt: (request) =>
      askKmsOnce((kms, signal) => kms.decrypt({ ...request, signal }), have, platform, request.signal, keyArn),
    generateDataKey: (request) =>
      askKmsOnce((kms, signal) => kms.generateDataKey({ ...request, signal }), have, platform, request.signal, keyArn),
  };
}
