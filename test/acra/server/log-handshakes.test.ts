/** What an operator reads when sessions do not come about: lines that the real acra-server wrote. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { alarmOf } from '../../../acra/server/log-concerns.ts';
import { parseAcraLogLine } from '../../../acra/server/log-record.ts';

interface LoggedCase {
  readonly what: string;
  readonly lines: readonly string[];
}

const logged = JSON.parse(
  readFileSync(new URL('../../vectors/acra/acra-0.96.0-handshakes.json', import.meta.url), 'utf8'),
) as readonly LoggedCase[];

/** What a client offered stands in its error. */
const QUOTES_A_CLIENT = 'ALPN with a quote';

t.ok(logged.length > 15);

for (const { what, lines } of logged) {
  t.test(`tells the reason of ${what}`, async (t) => {
    t.ok(lines.length > 0);
    for (const text of lines) {
      const record = parseAcraLogLine({ text, writtenBytes: Buffer.byteLength(text), isCut: false });
      const { msg, error } = JSON.parse(text) as { msg: string; error: string };
      t.equal(record.message, msg);
      if (what === QUOTES_A_CLIENT) {
        t.equal(record.error, 'tls: client requested unsupported application protocols ([ …');
        t.equal(record.withheldBytes, Buffer.byteLength(text));
      } else {
        t.equal(record.error, error);
        t.equal(record.withheldBytes, undefined);
      }
      t.equal(alarmOf(record), undefined, 'and it is no alarm');
    }
  });
}
