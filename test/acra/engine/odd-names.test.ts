/** acra-server finds the configured table and column in what it is asked, whatever letters their names are of (acra-server contract 4.4). */
import t from 'tap';
import { containerAt } from '../../../acra/container.ts';
import { parseEncryptorConfig } from '../../../acra/encryptor-config/lint.ts';
import { PROGRAMS, startEngine } from './support/engine-rig.ts';

const NAMES = ['Two Words', 'Straße', '漢字', "o'clock", 'select', String.raw`back\slash`, '`tick`', '$1', '--'];
const encryptorConfig = `schemas:
${NAMES.map((name) => `  - {table: ${JSON.stringify(name)}, columns: [${JSON.stringify(name)}], encrypted: [{column: ${JSON.stringify(name)}, data_type: str}]}`).join('\n')}
`;

for (const [program, { command, skip }] of Object.entries(PROGRAMS)) {
  t.test(`an engine with ${program} protects columns of any name`, { skip }, async (t) => {
    const { engine } = await startEngine(t, { command, encryptorConfig });
    const { tables } = parseEncryptorConfig(encryptorConfig, 'encryptor.yaml');
    for (const of of tables.values().flatMap(({ encrypted }) => encrypted.values())) {
      const stored = await engine.protect(of, Buffer.from('value'));
      t.equal(containerAt(stored)?.envelope, 'acrablock', of.name);
      t.same(await engine.reveal(of, [stored]), [Buffer.from('value')], of.name);
    }
  });
}
