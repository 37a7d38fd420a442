/** docs/applications.md: what it tells readers to type on their own machine is typed here, with other ports. */
import { execFile } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { parse } from 'yaml';
import { anyEnclaveSchema } from '../../config/any-enclave.ts';
import { hostProxySchema } from '../../config/host-proxy.ts';
import { freePort } from '../../emulator/free-port.ts';
import { PROJECT } from '../project/imports.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const page = readFileSync(join(PROJECT, 'docs/applications.md'), 'utf8');
const TIMEOUT_MS = 120_000;

/** Fenced blocks of a section. */
function blocks(section: string, language: string): readonly string[] {
  const [, text = ''] = page.split(`\n## ${section}\n`);
  const [own = ''] = text.split('\n## ');
  return [...own.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, block = '']) => block,
  );
}

t.test('runs the first application as the page says', async (t) => {
  const commands = blocks('The first one', 'sh');
  t.equal(commands.length, 2);
  const folder = temporaryFolder(t);
  symlinkSync(join(PROJECT, 'bin'), join(folder, 'bin'));
  const [inside, outside] = [await freePort(), await freePort()];
  const script = ['set -euo pipefail', ...commands]
    .join('\n')
    .replaceAll('vsockPort: 8000', 'vsockPort: 18500')
    .replace("to: 'tcp://127.0.0.1:8000'", `vsockPort: 18500, to: 'tcp://127.0.0.1:${inside}'`)
    .replaceAll('8000', String(inside))
    .replaceAll('8080', String(outside))
    .replace(/^runtimeFolder:/m, "admin: {listen: 'tcp://127.0.0.1:0'}\nruntimeFolder:");
  const env = { ...process.env, NODE_OPTIONS: undefined, PATH: `${dirname(process.execPath)}:${process.env['PATH']}` };
  const options = { cwd: folder, env, timeout: TIMEOUT_MS };
  const { stdout } = await promisify(execFile)('bash', ['-m', '-c', script], options);
  t.match(stdout, /valid .*enclave\.yaml/);
  t.match(stdout, /valid .*host-proxy\.yaml/);
  t.match(stdout, /^hello$/m);
  t.match(stdout, /serving/);
});

t.test('shows configurations that are valid', async (t) => {
  const [enclave] = blocks('What runs, and its ways in and out', 'yaml').map((text) => parse(text));
  const [host] = blocks("The parent's side", 'yaml').map((text) => parse(text));
  t.same(anyEnclaveSchema.safeParse(enclave).error?.issues, undefined);
  t.same(hostProxySchema.safeParse(host).error?.issues, undefined);
});
