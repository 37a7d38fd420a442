/** `acra-enclave data`, as an operator runs it, through the whole product. */
import t from 'tap';
import { existingData } from './support/existing-data.ts';

t.test('takes a table of plaintext to a protected one, step by step', async (t) => {
  const { tool, application, direct } = await existingData(t, 3_000);
  const outcome = async (words: readonly string[]) => {
    const ended = await tool(words).outcome;
    t.comment(`${words.join(' ')}\n${ended.code}\n${ended.stdout}${ended.stderr}`);
    return ended;
  };
  t.equal((await outcome(['encrypt'])).code, 1);
  t.equal((await outcome(['prepare'])).code, 0);
  t.equal((await outcome(['prepare', '--apply'])).code, 0);
  t.equal((await outcome(['encrypt', '--dry-run'])).code, 0);
  t.equal((await outcome(['encrypt'])).code, 0);
  t.equal((await outcome(['verify', '--before-drop'])).code, 0);
  t.equal((await outcome(['encrypt', '--old', 'drop'])).code, 0);
  t.equal((await outcome(['verify'])).code, 0);
  const client = await application();
  t.same((await client.query("SELECT * FROM people WHERE name = 'name of 77'")).rows, [{ id: 77, name: 'name of 77', town: 'town' }]);
  await client.end();
  await (await direct()).end();
});
