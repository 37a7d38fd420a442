/** What the database knows of clients' sessions. */
import { readFileSync } from 'node:fs';
import type pg from 'pg';
import type { ClientTarget } from '../target.ts';

const OTHERS = `SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`;
const COMPLAINT = /unexpected EOF on client connection|could not receive data from client/;

type Watch = Pick<ClientTarget, 'reset' | 'untilNoSession' | 'complaints'>;

/** @param owner a session of the owner of `patients` */
export function watchDatabase(owner: pg.Client, logFile: string): Watch {
  let seenBytes = 0;
  return {
    reset: async () => void (await owner.query('TRUNCATE patients')),
    untilNoSession: async () => {
      while ((await owner.query(OTHERS)).rows.length > 0);
    },
    complaints: () => {
      const log = readFileSync(logFile);
      const added = log.subarray(seenBytes).toString();
      seenBytes = log.length;
      return added.split('\n').filter((line) => COMPLAINT.test(line));
    },
  };
}
