/** Error codes of `make install`, `make uninstall`, `make library`, `make package`, `make release` and of the CDK app. */
import type { ErrorCatalogue } from '../runtime/errors.ts';
import { CodedError } from '../runtime/errors.ts';

export const DEPLOY_ERRORS = {
  INSTALL_PATH: {
    meaning: 'A folder to install into is not given by its absolute path.',
    action: 'Give PREFIX and SYSCONFDIR from the root; what stands before them belongs into DESTDIR.',
  },
  INSTALL_MANIFEST: {
    meaning: 'The list of what is installed is not one that `make install` writes, so that nothing is removed by it.',
    action: 'Remove by hand what it should name, then the list, and install again.',
  },
  INSTALL_PACKAGE_MISSING: {
    meaning: 'A package that the command needs at run time is not installed in the checkout.',
    action: 'Run `make help` once, which installs the pinned tool chain, then install again.',
  },
  INSTALL_SOURCE_MISSING: {
    meaning: 'A file that the command imports is not in the checkout.',
    action: 'Restore it (`git status` shows what is gone).',
  },
  CDK_IMAGE_KEY: {
    meaning: 'The measured folder of an image does not name the KMS key that the deployment has in that region.',
    action:
      'Build the image anew with the key’s ARN as `kms.keyArn` of enclave.yaml, or name the folder of another image.',
  },
  CDK_DATABASE_LOGIN: {
    meaning: 'deployment.yaml and the enclave.yaml of an image disagree about logins to the database by IAM.',
    action:
      'Name in `database.iamUsers` the users of enclave.yaml with `database.login: rds-iam`, and in `database.rdsIam.port` the database’s port.',
  },
  CDK_IMAGE_PROCESSOR: {
    meaning: 'The image was built for another processor than the instance type has.',
    action: 'Choose another `fleet.instanceType` in deployment.yaml, or build the image on such a machine.',
  },
  CDK_MEASUREMENTS: {
    meaning: 'The measurements that deployment.yaml names cannot be read, or do not say which image they are of.',
    action:
      'Name measurements.json as `acra-enclave eif build` wrote it; nitro-cli’s own output has no digest of the image.',
  },
  CDK_POLICY: {
    meaning: '`acra-enclave policy print` refuses to make a key policy of the deployment.',
    action: 'Do what its own message says, which is told.',
  },
  PACKAGE_DEPENDENCY: {
    meaning:
      'Code that goes into the npm package imports a package that package.json or package-lock.json does not name.',
    action: 'Add it with its exact version (`npm install --save-exact`), then make the package again.',
  },
  DEBIAN_BUILD: {
    meaning: 'The Debian package cannot be made.',
    action:
      'Make it on Debian 12 or later (dpkg-deb 1.21.9 or later), on x64 or arm64; the message has the words of dpkg-deb.',
  },
  RELEASE_FOLDER: {
    meaning: 'The folder of a release is not named, or is not empty.',
    action: 'Name one that is empty or does not exist: a release is never mixed with another one.',
  },
  RELEASE_INVALID: {
    meaning: 'The files are not the release that somebody made and signed.',
    action: 'Do not install them. Load them again, and take the public key by another way than the files.',
  },
  RELEASE_KEY: {
    meaning: 'The key that signs or verifies a release cannot be read, or is none that can.',
    action:
      'Name a PEM file, or a descriptor that holds one (`KEY=/dev/fd/3`): Ed25519, P-256 or P-384; private to make a release, public to verify one. One with a passphrase is opened in front: `openssl pkey -in FILE | make release KEY=/dev/stdin …`.',
  },
  RELEASE_MEASUREMENTS: {
    meaning: 'A file of measurements cannot be added to a release.',
    action:
      'Name what `acra-enclave measurements sign` wrote, each file by a name of its own that ends with .measurements.',
  },
  RELEASE_PACKAGES: {
    meaning: 'What npm installed for a release is not what package-lock.json names, or npm refused.',
    action:
      'Where a digest differs (npm: EINTEGRITY), find out who changed the package or the lock file before anything else. Where package.json asks for what is not locked, run `npm install` and commit package-lock.json.',
  },
  RELEASE_VERSION: {
    meaning: 'The version that is released is not the one that package.json, CHANGELOG.md or the measurements name.',
    action:
      'Set `version` of package.json (and of package-lock.json), and give the section of CHANGELOG.md its version and day.',
  },
  RELEASE_COMMIT: {
    meaning: 'What is released must be one commit, whole; here it is not, or git cannot say.',
    action: 'Work in a clone with git, and commit or remove what the message names.',
  },
  LIBRARY_COMPILE: {
    meaning: 'The compiler refuses the files of the library.',
    action:
      'Read what it says: code of the library must run on the oldest Node that package.json names (tsconfig.library.json).',
  },
} as const satisfies ErrorCatalogue;

export class DeployError extends CodedError<keyof typeof DEPLOY_ERRORS> {}
