/** One round with a program in the place of acra-server that lets a session begin, says what it is told to, and goes. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { EngineConnection } from '../../../../acra/engine/connection.ts';
import { EngineDatabase } from '../../../../acra/engine/database.ts';
import type { Answer, Task } from '../../../../acra/engine/task.ts';
import { seededRandom } from '../../../support/seeded-random.ts';

const MAX_MESSAGE_BYTES = 100_000;
const LOOPBACK = '127.0.0.1';
const patient = new AbortController().signal;

interface Said {
  readonly toDatabase: readonly Buffer[];
  readonly toClient: readonly Buffer[];
}

interface Round {
  readonly answers: Promise<readonly Answer[]>;
  /** From the database's end, after the session had begun. */
  readonly repliedBytes: () => number;
}

async function say(socket: Socket, pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) {
    if (piece.length > 0) socket.write(piece);
    await turn();
  }
}

/** @param use what is asked of the session has been answered, or will not be, when it returns */
export async function roundWith(
  tasks: readonly Task[],
  said: Said,
  use: (round: Round) => Promise<void>,
): Promise<void> {
  const database = new EngineDatabase(seededRandom('engine'));
  const end = await database.start(0);
  let repliedBytes = 0;
  const server = createServer((near) => {
    const far = connect(end.port, end.host);
    for (const socket of [near, far]) socket.setNoDelay().on('error', () => undefined);
    near.once('data', (startup) => {
      far.write(startup);
      near.once('data', async () => {
        far.on('data', ({ length }) => {
          repliedBytes += length;
        });
        await say(far, said.toDatabase);
        await turn();
        await say(near, said.toClient);
        near.end();
        far.end();
      });
    });
    far.once('data', (welcome) => near.write(welcome));
  });
  server.listen(0, LOOPBACK);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const acra = { kind: 'tcp', host: LOOPBACK, port } as const;
  try {
    const connection = await EngineConnection.open(acra, database, MAX_MESSAGE_BYTES, patient);
    try {
      await use({ answers: connection.run(tasks), repliedBytes: () => repliedBytes });
    } finally {
      connection.close();
    }
  } finally {
    database.stop();
    server.close();
  }
}
