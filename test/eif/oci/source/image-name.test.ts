/** What `--image` may be. */
import t from 'tap';
import { OciError } from '../../../../eif/oci/errors.ts';
import { parseImageName, repositoryOf } from '../../../../eif/oci/source/image-name.ts';
import { throwsCode } from '../../../support/coded-error.ts';

t.test('tells folders and archives, with and without the name of an image in them', async (t) => {
  t.same(parseImageName('oci:/a/b', '/base'), { kind: 'oci', path: '/a/b', name: undefined });
  t.same(parseImageName('oci:/a/b:v1', '/base'), { kind: 'oci', path: '/a/b', name: 'v1' });
  t.same(parseImageName('oci-archive:/a.tar:host/app:v1', '/base'), {
    kind: 'oci-archive',
    path: '/a.tar',
    name: 'host/app:v1',
  });
  t.match(parseImageName('docker-archive:a.tar', '/base'), { kind: 'docker-archive', path: '/base/a.tar' });
});

const DIGEST = `sha256:${'0'.repeat(64)}`;
for (const reference of [
  'debian',
  'debian:12-slim',
  'library/debian',
  'ghcr.io/a/b:1',
  'localhost:5000/a',
  `a@${DIGEST}`,
]) {
  t.test(`takes ${reference.slice(0, 30)} for a name in a registry`, async (t) => {
    t.same(parseImageName(reference, '/base'), { kind: 'registry', reference });
    t.same(parseImageName(`docker://${reference}`, '/base'), { kind: 'registry', reference });
  });
}

for (const text of [
  '',
  'oci:',
  '--raw',
  'Debian',
  'a b',
  'docker-daemon:a',
  'dir:/a',
  'docker:a',
  'a@md5:0',
  '/a/b',
  'a:',
]) {
  t.test(`rejects ${JSON.stringify(text)} (EIF_OCI_NAME)`, async () => {
    throwsCode(() => parseImageName(text, '/base'), OciError, 'EIF_OCI_NAME');
  });
}

t.test('takes tag and digest off a name, and no port', async (t) => {
  t.equal(repositoryOf('host:5000/a/b'), 'host:5000/a/b');
  t.equal(repositoryOf('host:5000/a/b:1'), 'host:5000/a/b');
  t.equal(repositoryOf(`a:1@${DIGEST}`), 'a');
});
