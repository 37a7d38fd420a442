/** AcraCensor's configuration: read as acra-server does, and no key of it passed over. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { requireCensorConfig } from '../../acra/censor-config.ts';
import { ConfigError } from '../../config/errors.ts';
import { throwsCode } from '../support/coded-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SOUND = `version: 0.96.0
ignore_parse_error: false
handlers:
  - handler: query_ignore
    queries: [BEGIN, COMMIT]
  - handler: deny
    tables: [salaries]
    patterns: ["SELECT %%COLUMN%% FROM patients"]
  - handler: allowall
`;

function check(t: Test, text: string): () => void {
  const file = join(temporaryFolder(t), 'censor.yaml');
  writeFileSync(file, text);
  return () => requireCensorConfig(file);
}

t.test('takes rules of every kind', async (t) => {
  t.doesNotThrow(check(t, SOUND));
});

for (const [what, text] of [
  ['an unknown handler', SOUND.replace('deny', 'forbid')],
  ['a misspelt key, which acra-server would pass over', SOUND.replace('tables:', 'table:')],
  ['an old version', SOUND.replace('0.96.0', '0.84.9')],
  ['no version', SOUND.replace('version: 0.96.0\n', '')],
  ['no handler', 'version: 0.96.0\nhandlers: []\n'],
  ['a log of what cannot be read', `parse_errors_log: unparsed.log\n${SOUND}`],
  ['statements written to a file', SOUND.replace('handler: allowall', 'handler: query_capture')],
  ['queries that allowall passes over', SOUND.replace('handler: allowall', 'handler: allowall\n    queries: [x]')],
  ['tables that query_ignore passes over', SOUND.replace('queries: [BEGIN, COMMIT]', 'tables: [x]')],
  ['a handler that names nothing', SOUND.replace('    queries: [BEGIN, COMMIT]\n', '')],
] as const) {
  t.test(`rejects ${what} (CONFIG_INVALID)`, async (t) => {
    throwsCode(check(t, text), ConfigError, 'CONFIG_INVALID');
  });
}
