/** What a browser gets of the admin port, and what it may do with it. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Registry } from 'prom-client';
import t, { type Test as TapTest } from 'tap';
import { AdminServer } from '../../../../../host-proxy/operator/admin/server.ts';
import { readServedFiles } from '../../../../../host-proxy/operator/admin/status-page.ts';
import { temporaryFolder } from '../../../../support/temporary-folder.ts';
import { QUIET } from '../../support/statuses.ts';

const PAGE = fileURLToPath(new URL('../../../../../host-proxy/operator/admin/page/', import.meta.url));

async function url(t: TapTest, files = readServedFiles()): Promise<string> {
  const listen = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
  const server = new AdminServer({ listen, status: () => QUIET, metrics: new Registry(), files });
  await server.start(new AbortController().signal);
  t.teardown(() => server.stop());
  return `http://127.0.0.1:${server.address.port}`;
}

t.test('gives every answer the headers that keep a browser to this port', async (t) => {
  const origin = await url(t);
  for (const path of ['/', '/main.js', '/page.css', '/status', '/metrics', '/readyz', '/nothing']) {
    const { headers } = await fetch(`${origin}${path}`);
    const policy = headers.get('content-security-policy')?.split('; ') ?? [];
    for (const directive of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "img-src 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "form-action 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ])
      t.ok(policy.includes(directive), `${path}: ${directive}`);
    t.notMatch(policy.join(), /unsafe|http|\*|data:|blob:/, path);
    t.equal(headers.get('x-content-type-options'), 'nosniff', path);
    t.equal(headers.get('referrer-policy'), 'no-referrer', path);
    t.equal(headers.get('cache-control'), 'no-store', path);
    t.equal(headers.get('cross-origin-resource-policy'), 'same-origin', path);
    t.equal(headers.get('access-control-allow-origin'), null, path);
  }
});

t.test('serves every file of the page, with the type that a browser demands, to GET and HEAD alone', async (t) => {
  const origin = await url(t);
  const types: Readonly<Record<string, string>> = {
    html: 'text/html',
    css: 'text/css',
    svg: 'image/svg+xml',
    js: 'text/javascript',
  };
  const files = readdirSync(PAGE).filter((name) => name !== 'tsconfig.json');
  t.ok(files.length > 5, 'files were read');
  for (const name of files) {
    const path = name === 'index.html' ? '/' : `/${name}`;
    const answer = await fetch(`${origin}${path}`);
    t.equal(answer.headers.get('content-type')?.split(';')[0], types[name.split('.').at(-1) ?? ''], name);
    t.equal(await answer.text(), readFileSync(join(PAGE, name), 'utf8'), name);
    t.equal(await (await fetch(`${origin}${path}`, { method: 'HEAD' })).text(), '');
    const refused = await fetch(`${origin}${path}`, { method: 'POST' });
    t.same([refused.status, refused.headers.get('allow')], [405, 'GET, HEAD']);
  }
});

t.test('asks nothing of anybody else, and has no script or style in the document', async (t) => {
  for (const [path, { body }] of readServedFiles()) {
    if (path.startsWith('/runbooks/')) continue;
    const addresses = [...body.matchAll(/(?:https?:)?\/\/[\w.-]+\.\w+[^\s"']*/g)].map(([address]) => address);
    t.same(
      addresses.filter((address) => address !== 'http://www.w3.org/2000/svg'),
      [],
      path,
    );
  }
  const html = readServedFiles().get('/')?.body ?? '';
  t.notMatch(html, /<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]*\ssrc=)/);
});

/** The browser holds the page to the same (trusted types); this says so before one is at hand. */
t.test('has no way by which a text could become markup, script or address', async (t) => {
  const sinks =
    /innerHTML|outerHTML|insertAdjacentHTML|setHTML|document\.write|DOMParser|createContextualFragment|srcdoc|\beval\b|new Function|setTimeout\(\s*['"`]|\.src\b|\.style\b|setAttribute\(\s*(?!'(?:scope|href|role|aria-label)')/;
  for (const [path, { body }] of readServedFiles()) if (path.endsWith('.js')) t.notMatch(body, sinks, path);
  const dom = readServedFiles().get('/dom.js')?.body ?? '';
  t.same(
    [...dom.matchAll(/setAttribute\('href', ([^)]*)\)/g)].map(([, value]) => value),
    ['path'],
  );
  t.match(dom, /const path = `\/runbooks\/\$\{encodeURIComponent\(runbook\)\}`;/);
});

t.test('serves runbooks as texts by their names, and nothing else of their folder', async (t) => {
  const folder = join(temporaryFolder(t), 'runbooks');
  mkdirSync(folder);
  writeFileSync(join(folder, 'KMS_ACCESS_DENIED.md'), '# <script>alert(1)</script>\n');
  writeFileSync(join(folder, 'secret.txt'), 'no');
  writeFileSync(join(folder, '..md'), 'no');
  const origin = await url(t, readServedFiles(folder));
  const answer = await fetch(`${origin}/runbooks/KMS_ACCESS_DENIED`);
  t.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8');
  t.match(await answer.text(), 'alert');
  for (const name of ['secret', 'secret.txt', '.', '..', '%2e%2e/package.json', 'KMS_ACCESS_DENIED.md'])
    t.not((await fetch(`${origin}/runbooks/${name}`)).headers.get('content-type'), 'text/markdown', name);
  t.equal((await fetch(`${origin}/runbooks/secret`)).status, 404);
  t.equal((await fetch(`${origin}/runbooks/KMS_ACCESS_DENIED.md`)).status, 404);
  t.equal(
    readServedFiles(join(folder, 'nowhere')).size,
    readdirSync(PAGE).length - 1,
    'an installation without runbooks serves the page',
  );
});
