/**
 * How often the random generators of OpenSSL in this process were seeded, from their own counters (EVP_RAND(3), parameter
 * `reseed_counter`). The primary one feeds the others; what this thread's `randomBytes` gives comes from its public one.
 */
import koffi from 'koffi';

const PARAMETER = koffi.struct({
  key: 'const char *',
  type: 'unsigned int',
  data: 'void *',
  size: 'size_t',
  returned: 'size_t',
});
/** openssl/core.h: OSSL_PARAM_UNSIGNED_INTEGER. */
const UNSIGNED_INTEGER = 2;

const library = koffi.load(null);
const primary = library.func('void *RAND_get0_primary(void *)');
const ofThread = library.func('void *RAND_get0_public(void *)');
const getParameters = library.func('EVP_RAND_CTX_get_params', 'int', ['void *', koffi.pointer(PARAMETER)]);

function reseeds(generator: unknown): number {
  const data = Buffer.alloc(4);
  const wanted = { key: 'reseed_counter', type: UNSIGNED_INTEGER, data, size: data.length, returned: 0 };
  const end = { key: null, type: 0, data: null, size: 0, returned: 0 };
  if (getParameters(generator, [wanted, end]) !== 1) throw new Error('the generator does not tell its counter');
  return data.readUInt32LE(0);
}

export const primaryReseeds = () => reseeds(primary(null));
export const publicReseeds = () => reseeds(ofThread(null));
