/** No preface: dial at once. */
import type { Policy } from '../connection.ts';
import { dial } from '../dial.ts';
import { openConnection } from '../pump.ts';

export const NO_PREFACE: Policy = {
  start: (engine, connection) => dial(engine, connection, connection.route.upstream),
  connected: (engine, connection) => openConnection(engine, connection, Buffer.alloc(0)),
  notConnected: () => undefined,
};
