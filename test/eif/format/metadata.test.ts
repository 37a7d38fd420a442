/** The JSON of the metadata section. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { EifError } from '../../../eif/errors.ts';
import { encodeMetadata, parseMetadata } from '../../../eif/format/metadata.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { vector } from '../support/vectors.ts';

const text = readFileSync(vector('metadata.json'), 'utf8').trim();
const metadata = parseMetadata(Buffer.from(text));

t.test('keeps the bytes that AWS writes', async (t) => {
  t.equal(encodeMetadata(metadata).toString(), text);
});

t.test('writes keys in the order of the format, whatever order they are given in', async (t) => {
  const { DockerInfo, CustomMetadata, ...rest } = metadata;
  t.equal(encodeMetadata({ CustomMetadata, DockerInfo, ...rest }).toString(), text);
});

t.test('reads metadata without CustomMetadata, which older tools leave out', async (t) => {
  const { CustomMetadata, ...old } = JSON.parse(text);
  t.equal(CustomMetadata, null);
  t.equal(parseMetadata(Buffer.from(JSON.stringify(old))).CustomMetadata, null);
});

for (const key of ['ImageName', 'ImageVersion', 'BuildMetadata', 'DockerInfo']) {
  t.test(`rejects metadata without ${key} (EIF_METADATA_INVALID)`, async (t) => {
    const { [key]: dropped, ...rest } = JSON.parse(text);
    t.not(dropped, undefined);
    const error = throwsCode(
      () => parseMetadata(Buffer.from(JSON.stringify(rest)), 607),
      EifError,
      'EIF_METADATA_INVALID',
    );
    t.equal(error.offset, 607);
    t.match(error.message, key);
  });
}

for (const key of ['BuildTime', 'BuildTool', 'BuildToolVersion', 'OperatingSystem', 'KernelVersion']) {
  t.test(`rejects build metadata without ${key} (EIF_METADATA_INVALID)`, async () => {
    const broken = JSON.parse(text);
    delete broken.BuildMetadata[key];
    throwsCode(() => parseMetadata(Buffer.from(JSON.stringify(broken))), EifError, 'EIF_METADATA_INVALID');
  });
}

t.test('rejects a build time that is not RFC 3339 (EIF_METADATA_INVALID)', async () => {
  const broken = text.replace('1970-01-01T00:00:00Z', 'yesterday');
  throwsCode(() => parseMetadata(Buffer.from(broken)), EifError, 'EIF_METADATA_INVALID');
});

t.test('rejects what is not JSON in UTF-8 (EIF_METADATA_INVALID)', async () => {
  for (const bytes of [Buffer.alloc(0), Buffer.from('{'), Buffer.from('null'), Buffer.from('"\xff"', 'latin1')]) {
    throwsCode(() => parseMetadata(bytes), EifError, 'EIF_METADATA_INVALID');
  }
});

t.test('rejects metadata of more than 1 MiB (EIF_SECTION_TOO_LARGE)', async () => {
  const huge = { ...metadata, CustomMetadata: { text: 'x'.repeat(1_048_576) } };
  throwsCode(() => encodeMetadata(huge), EifError, 'EIF_SECTION_TOO_LARGE');
});
