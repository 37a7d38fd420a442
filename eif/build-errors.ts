/** Error codes of making an image: gathering the root file system, the kernel, and joining them. */
import type { ErrorCatalogue } from '../runtime/errors.ts';
import { CodedError } from '../runtime/errors.ts';

export const EIF_BUILD_ERRORS = {
  EIF_BUILD_ELF: {
    meaning: 'A program or library is not a 64-bit little-endian ELF file, is damaged, or is for another processor.',
    action: 'Reinstall the package that it comes from, for the processor of the image.',
  },
  EIF_BUILD_LIBRARY_MISSING: {
    meaning: 'A program needs a shared library that is in none of the folders that its loader would search.',
    action: 'Install the package that has the library, or name the folder of another system with `libraries`.',
  },
  EIF_BUILD_LIBRARY_CONFLICT: {
    meaning: 'Programs of one process were built for different loaders.',
    action: 'Install packages for one C library: glibc or musl, not both.',
  },
  EIF_BUILD_NODE_MISSING: {
    meaning: 'A package that goes into the image is not installed for the processor of the image.',
    action:
      'Remove node_modules/.installed and run any target of make: that installs what package-lock.json names and runs no script of a package. For another processor: `npm install --no-save --ignore-scripts --cpu PROCESSOR`.',
  },
  EIF_BUILD_BUNDLE: {
    meaning: 'The code that runs in the enclave could not be bundled.',
    action: 'Mend what the message names; `make check` finds most of it.',
  },
  EIF_BUILD_STAND_IN: {
    meaning: 'The image would contain the stand-in for acra-server, which does not protect data.',
    action: 'Set ACRA_SERVER or run `acra-enclave acra pull`; for a trial, say --allow-stand-in.',
  },
  EIF_BUILD_ACRA_SERVER: {
    meaning: 'acra-server changed or cannot be read.',
    action: 'Check what ACRA_SERVER names, or run `acra-enclave acra pull` again.',
  },
  EIF_BUILD_NO_PROGRAMS: {
    meaning: 'enclave.yaml says `workload: app`, and there is nothing that its programs could be taken from.',
    action:
      'Name a container image with --image, or put the application’s file system in a folder app/ beside enclave.yaml.',
  },
  EIF_BUILD_PROGRAM_MISSING: {
    meaning: 'A program that enclave.yaml starts is not in the application’s file system, or is not executable.',
    action:
      'Mend `command` (or PATH in `environment`) of the program, or put the file there; paths are those of the application’s own root.',
  },
  EIF_BUILD_FOLDER_READ: {
    meaning: 'The measured folder, or a file in it, cannot be read.',
    action: 'Check path and permissions.',
  },
  EIF_BUILD_FILE_TYPE: {
    meaning: 'The measured folder holds a link, a device, a socket or a pipe.',
    action: 'Put plain files and folders there; copy what the link points to.',
  },
  EIF_BUILD_FILE_MODE: {
    meaning: 'A file or folder to be measured can be changed by anybody on this machine, or has a set-id bit.',
    action: 'Run `chmod o-w,ug-s` on it, and find out whether somebody changed it.',
  },
  EIF_BUILD_FILE_EXTRA: {
    meaning: 'The measured folder holds a file that enclave.yaml does not name; it could be a secret.',
    action: 'Remove it from the folder (private keys above all), or name it in enclave.yaml.',
  },
  EIF_BUILD_FILE_MISSING: {
    meaning: 'A file that enclave.yaml names is not in the measured folder.',
    action:
      'Write it; keys and sealed files are made by `acra-enclave keys new`, the sealed password of a further database user by `keys seal`.',
  },
  EIF_BUILD_NAME_CONFLICT: {
    meaning: 'Two parts of the image claim the same path.',
    action: 'Report this: the list of files contradicts itself.',
  },
  EIF_BUILD_COMPRESSION: {
    meaning: 'The kernel of the image is too old to unpack its ramdisks as they would be compressed.',
    action:
      'Leave `compression` out of image.yaml: the default suits the kernel; gzip is the smaller choice for an old one.',
  },
  EIF_BUILD_MEMORY: {
    meaning: 'The enclave would not boot: its root file system takes more than half of the memory that it will get.',
    action:
      'Give it more: `memoryMiB` in image.yaml and the same in `enclave.run` of host-proxy.yaml; or take files out of the image.',
  },
  EIF_BUILD_OUTPUT: {
    meaning: 'A result cannot be written.',
    action: 'Check the path, the permissions and the free space.',
  },
} as const satisfies ErrorCatalogue;

export class EifBuildError extends CodedError<keyof typeof EIF_BUILD_ERRORS> {}

export const KERNEL_ERRORS = {
  KERNEL_PACKAGES_MISSING: {
    meaning: 'Debian packages that building the kernel needs are not installed.',
    action: 'Install them as root: `apt-get install --no-install-recommends` and the names in the message.',
  },
  KERNEL_ARCHITECTURE: {
    meaning: 'There is no kernel configuration for this processor.',
    action: 'Build on x86_64, or use the kernel of nitro-cli (`kernel.aws-blobs`).',
  },
  KERNEL_SOURCE: {
    meaning: 'The source package of the wanted version is not on the mirror.',
    action:
      'Take a kernel that was built before (copy its cache folder), or name another version; PCR0 and PCR1 change then.',
  },
  KERNEL_BUILD: {
    meaning: 'The kernel did not build.',
    action: 'Read the end of the log in the message; where a step failed, it names the file with the whole log.',
  },
  KERNEL_CACHE_CHANGED: {
    meaning: 'A cached kernel is not what was built.',
    action: 'Remove the folder that the message names; the kernel is built again.',
  },
  KERNEL_LOCK: {
    meaning: 'The lock that lets one build of a kernel run at a time could not be had.',
    action: 'Check that the cache folder can be written to, and that `flock` (util-linux) is installed.',
  },
  KERNEL_BLOBS_INVALID: {
    meaning: "The folder is not one of nitro-cli's blobs: bzImage (or Image), init, nsm.ko and cmdline.",
    action: 'Name the folder that nitro-cli installs, for example /usr/share/nitro_enclaves/blobs.',
  },
} as const satisfies ErrorCatalogue;

export class KernelError extends CodedError<keyof typeof KERNEL_ERRORS> {}
