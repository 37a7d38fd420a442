/** What has the form of Acra's containers (acra/container.ts), without keys: what stands in them is nothing. */
import fc from 'fast-check';
import { encodeContainer } from '../../../acra/container.ts';
import { anyBytes } from '../../support/hostile-bytes.ts';

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

const some = anyBytes(12);
const block = some.map((data) => {
  const rest = Buffer.concat([Buffer.from('00aabb000400', 'hex'), Buffer.from('keys'), data]);
  return Buffer.concat([Buffer.alloc(4, 0x22), u64(8 + rest.length), rest]);
});
const struct = some.map((data) => Buffer.concat([Buffer.alloc(8, 0x22), Buffer.alloc(129, 1), u64(data.length), data]));
const container = fc.oneof(
  block.map((body) => encodeContainer('acrablock', body)),
  struct.map((body) => encodeContainer('acrastruct', body)),
);

/** Containers, bare blocks, and plain values. */
export const values = fc
  .oneof({ weight: 3, arbitrary: container }, block, struct, some)
  .filter(({ length }) => length > 0);
export const storedValues = fc.oneof(
  container,
  container.map((bytes) => Buffer.concat([Buffer.alloc(33, 0x7f), bytes])),
  values,
);
