/** A program that keeps one key set and records it: arguments are the folder, the files with set and transcript. */
import { readFileSync } from 'node:fs';
import { argv } from 'node:process';
import { AuditLog } from '../../../../host-proxy/keys/audit-log.ts';
import { KeyFolder } from '../../../../host-proxy/keys/key-folder.ts';
import { KeyRecords } from '../../../../host-proxy/keys/key-records.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { silentLogger } from '../../../../runtime/log.ts';

const [folderPath = '', keySet = '', transcript = ''] = argv.slice(2);
const folder = new KeyFolder(folderPath);
folder.prepare();
const records = new KeyRecords(new AuditLog(folderPath, systemClock), silentLogger);
await records.begin();
await records.found(await folder.list());
const stored = await folder.store({ keySet: readFileSync(keySet), transcript: readFileSync(transcript) });
await records.made(stored);
await records.taken(stored);
