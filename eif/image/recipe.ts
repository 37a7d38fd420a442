/**
 * `image.yaml`: how an image is built, apart from what runs in it (enclave.yaml): its name, kernel, libraries, compression.
 * Paths are relative to the file's folder. Without the file, every default holds.
 */
import { z } from 'zod';
import { KERNEL_SOURCE_VERSION } from '../kernel/debian.ts';
import { SETUID_CHOICES } from '../oci/layers/privileges.ts';

const path = z
  .string()
  .min(1)
  .refine((text) => !text.includes('\0'), { error: 'must be a path' });

const kernel = z
  .union(
    [
      z.strictObject({
        debian: z
          .string()
          .regex(/^6\.12\.\d+-\d+(?:~bpo\d+\+\d+)?$/, { error: 'must be a version of linux-source-6.12' })
          .describe("build it from this version of Debian's linux-source-6.12"),
      }),
      z.strictObject({
        'aws-blobs': path.describe('take the one that nitro-cli installs in this folder, with its init'),
      }),
      z.strictObject({ file: path.describe('take this bzImage, built before') }),
    ],
    { error: 'must have exactly one of: debian, aws-blobs, file' },
  )
  .prefault({ debian: KERNEL_SOURCE_VERSION });

const compression = z.union(
  [
    z.enum(['none', 'gzip', 'zstd']),
    z.strictObject({ zstd: z.int().min(1).max(19).describe('level: 1 is fast, 19 is small; default 18') }),
  ],
  { error: 'must be none, gzip, zstd, or zstd with a level from 1 to 19' },
);

const application = z
  .strictObject({
    image: z
      .string()
      .min(1)
      .optional()
      .describe('container image that the application comes from, as for --image, which comes before it'),
    closure: z
      .boolean()
      .default(false)
      .describe('take only what the programs of enclave.yaml need of it, and what keep names'),
    keep: z
      .array(z.string().regex(/^\//, { error: 'must be an absolute path in the image; *, ** and ? are patterns' }))
      .default([])
      .describe('with closure: paths that are taken too, folders with all in them'),
    setuid: z
      .enum(SETUID_CHOICES)
      .default('refuse')
      .describe('what becomes of set-id bits of programs; drop: of file capabilities too'),
  })
  .prefault({})
  .describe('with workload: app, how its file system is made of a container image (docs/oci-images.md)');

export const recipeSchema = z
  .strictObject({
    version: z.literal(1),
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, { error: 'must be lower-case letters, digits and dashes' })
      .default('acra-enclave'),
    kernel,
    libraries: path
      .default('/')
      .describe(
        "root of the system whose C and C++ libraries are taken for Node: this machine's, or unpacked packages",
      ),
    memoryMiB: z
      .int()
      .min(64)
      .max(4_194_304)
      .default(1_024)
      .describe(
        'what the enclave will get (`enclave.run.memoryMiB` of host-proxy.yaml); checked, and not in the image',
      ),
    compression: compression
      .optional()
      .describe("of ramdisks; default: zstd, and none with nitro-cli's kernel, which cannot unpack zstd"),
    application,
  })
  .describe('image.yaml: how the enclave image is built');

export type ImageRecipe = z.output<typeof recipeSchema>;
