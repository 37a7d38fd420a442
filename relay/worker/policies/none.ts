/** No preface: dial at once. */
import { dial } from '../dial.ts';
import { openConnection } from '../pump.ts';
import type { Policy } from '../route-state.ts';

export const NO_PREFACE: Policy = {
  start: (engine, connection) => dial(engine, connection, connection.route.upstream),
  connected: (engine, connection) => openConnection(engine, connection, Buffer.alloc(0)),
  notConnected: () => undefined,
};
