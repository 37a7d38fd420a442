/** What a real PostgreSQL makes of a start-up packet: the settings that it reports, or the SQLSTATE of its refusal. */
import { Client } from 'pg';
import type { RunningPostgres } from '../../../emulator/postgres/server.ts';
import { encodeStartupMessage } from '../../../postgres/startup-message.ts';

export const USER = { name: 'app', password: 'secret' };

export type StartupOutcome = ReadonlyMap<string, string> | string;
type Parameters = Iterable<readonly [string, string]>;

/** node-postgres, which adds `client_encoding` to each packet, sends this one instead and goes on to log in. */
export function clientOf({ host, port, database }: RunningPostgres, parameters: Parameters, minor = 0) {
  const client = new Client({ host, port, database, user: USER.name, password: USER.password });
  client.on('error', () => undefined);
  // biome-ignore lint/suspicious/noExplicitAny: node-postgres does not show its connection in its types
  const { connection } = client as any;
  const all = new Map([['user', USER.name], ['database', database], ...parameters]);
  connection.startup = () => connection.stream.write(encodeStartupMessage({ minor, parameters: all }));
  return { client, connection };
}

export async function startupOutcome(server: RunningPostgres, parameters: Parameters): Promise<StartupOutcome> {
  const { client, connection } = clientOf(server, parameters);
  const reported = new Map<string, string>();
  connection.on('parameterStatus', ({ parameterName, parameterValue }: Record<string, string>) => {
    reported.set(String(parameterName), String(parameterValue));
  });
  try {
    await client.connect();
    return reported;
  } catch (error) {
    return String((error as { code?: unknown }).code);
  } finally {
    await client.end();
  }
}
