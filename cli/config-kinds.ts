/** The kinds of configuration file that `config check` knows; each file's name begins with its kind. */

export const CONFIG_KINDS = ['enclave', 'host-proxy', 'encryptor'] as const;
export type ConfigKind = (typeof CONFIG_KINDS)[number];
