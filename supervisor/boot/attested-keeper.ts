/** The keeper that the measured configuration names, asked as this enclave asks KMS: attested, over the private route, once. */
import { parentKeysOf } from '../../config/keys.ts';
import { requireKms } from '../../config/kms.ts';
import type { KeyKeeper } from '../../keys/keepers/keeper.ts';
import { KmsKeeper } from '../../keys/keepers/kms.ts';
import type { AttestedKms } from '../../kms/client.ts';
import type { Platform } from '../platform.ts';
import { askKmsOnce, type KmsNeeds } from './attested-kms.ts';

export function attestedKeeper(have: KmsNeeds, platform: Platform): KeyKeeper {
  const { keyArn, encryptionContext } = requireKms(have.config);
  const formerKeyArns = parentKeysOf(have.config)?.formerKmsKeys ?? [];
  const keeper = (kms: AttestedKms) => new KmsKeeper({ kms, keyArn, encryptionContext, formerKeyArns });
  return {
    create: (generation, signal) => askKmsOnce((kms) => keeper(kms).create(generation, signal), have, platform, signal),
    open: (set, signal) => askKmsOnce((kms) => keeper(kms).open(set, signal), have, platform, signal),
  };
}
