/** Node's zstd in a plain stream: `node bench/eif/bare-zstd.ts LEVEL FILE...` writes each FILE to FILE.zst, and nothing else. */
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { ZSTD_TABLES } from '../../eif/compress.ts';

const CHUNK_BYTES = 262_144;
const [level, ...files] = process.argv.slice(2);
const params = {
  [constants.ZSTD_c_compressionLevel]: Number(level),
  [constants.ZSTD_c_windowLog]: ZSTD_TABLES.windowLog,
  [constants.ZSTD_c_chainLog]: ZSTD_TABLES.chainLog,
  [constants.ZSTD_c_hashLog]: ZSTD_TABLES.hashLog,
};
for (const file of files) {
  const source = createReadStream(file, { highWaterMark: CHUNK_BYTES });
  await pipeline(source, createZstdCompress({ chunkSize: CHUNK_BYTES, params }), createWriteStream(`${file}.zst`));
}
