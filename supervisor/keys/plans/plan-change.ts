/** Each kind of change to a set, and what is planned for it. */
import type { KeyAction } from '../../../keys/requests/key-request.ts';
import { planAddClients, planForgetData, planRotateData } from './clients.ts';
import { planRotateDatabase, planSeal, planSettleDatabase } from './database.ts';
import type { Having, Plan, PlanDeps } from './plan.ts';

/** What changes a set that there is. */
export type SetChange = Exclude<KeyAction, { kind: 'ceremony' | 'rotate-tls' }>;

/** @throws KeyError KEY_REQUEST_REFUSED, KEY_CLIENT_EXISTS, KEY_SECRET_UNSEALABLE, KEY_PASSWORD_INVALID, KEY_VERIFIER_INVALID */
export async function planChange(action: SetChange, having: Having, deps: PlanDeps): Promise<Plan> {
  switch (action.kind) {
    case 'add-clients':
      return planAddClients(action, having);
    case 'rotate-master':
      return { keystore: { kind: 'rewrap' }, kept: having.secrets, sealed: [] };
    case 'rotate-kms':
    case 'reshare':
      // Every set lies under a new data key of the keeper that the configuration names, shared out anew where it has shares.
      return { keystore: { kind: 'keep' }, kept: having.secrets, sealed: [] };
    case 'rotate-data':
      return planRotateData(action, having);
    case 'forget-data':
      return planForgetData(action, having, deps);
    case 'rotate-database':
      return planRotateDatabase(action, having, deps);
    case 'settle-database':
      return planSettleDatabase(action, having);
    case 'seal':
      return planSeal(action, having, deps);
  }
}
