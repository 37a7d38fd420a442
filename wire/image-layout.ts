/**
 * Where things lie in the root file system of an enclave, for who puts them there and who finds them there. Paths are
 * relative to the root, as archives name them.
 */

/** Node, as the kernel's `rdinit=` names it. */
export const NODE_PATH = 'usr/bin/node';
/** Our code: the programs side by side, and `node_modules/` for packages with files of their own. */
export const CODE_FOLDER = 'acra-enclave';
/** What Node runs as PID 1. No dot: the kernel would take it for a module's parameter. */
export const INIT_PATH = `${CODE_FOLDER}/init`;
/** acra-server with its libraries. */
export const ACRA_FOLDER = 'acra';
/** How acra-server is started there: the JSON form of AcraProgram (acra/obtain/program.ts) with paths of the image. */
export const ACRA_PROGRAM_PATH = `${ACRA_FOLDER}/program.json`;
/** The measured folder: enclave.yaml and what it names. */
export const ENCLAVE_FOLDER = 'enclave';

/** The file system of an application, which becomes the root of its programs. */
export const APP_FOLDER = 'app';

/** User and group of acra-server, which must own its keystore. */
export const ACRA_SERVER_ID = 1000;
