/** Error codes of container images as input: reading them, their layers, what programs need of them, and the lock file. */
import type { ErrorCatalogue } from '../../runtime/errors.ts';
import { CodedError } from '../../runtime/errors.ts';

const DAMAGED = 'Copy or fetch the image again; if that does not help, build it again.';

export const OCI_ERRORS = {
  EIF_OCI_NAME: {
    meaning: 'What --image names has none of the forms that are taken.',
    action: 'Give oci:FOLDER[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME] or a name in a registry.',
  },
  EIF_OCI_READ: {
    meaning: 'A file of the container image is not there or cannot be read.',
    action: 'Check path and permissions, and that the folder or archive is of the form that its prefix says.',
  },
  EIF_OCI_DOCUMENT: {
    meaning: 'The index, manifest or configuration of the container image is not what the OCI specification demands.',
    action: DAMAGED,
  },
  EIF_OCI_MEDIA_TYPE: {
    meaning: 'The container image has a part of a kind that is not known, so it could not be taken as it is meant.',
    action: 'Build the image in OCI or Docker (schema 2) form, with layers as tar, by themselves or in gzip or zstd.',
  },
  EIF_OCI_DIGEST: {
    meaning: 'A part of the container image is not what its digest says.',
    action: DAMAGED,
  },
  EIF_OCI_CHOICE: {
    meaning: 'The folder or archive holds no image of that name, or several and none was named.',
    action: 'Name one of those that the message lists, after a colon.',
  },
  EIF_OCI_PLATFORM: {
    meaning: 'The container image is for another processor or system than the enclave image.',
    action: 'Build it for linux and this processor, or build the enclave image on the other one.',
  },
  EIF_OCI_LAYER: {
    meaning: 'The archive of a layer is damaged or has an entry whose meaning is not known.',
    action: DAMAGED,
  },
  EIF_OCI_PATH: {
    meaning: 'An entry of a layer has a path that leads out of the image, is malformed, or lies below a file.',
    action: 'Find out which tool made the layer: no usual one writes such entries.',
  },
  EIF_OCI_LINK: {
    meaning: 'A hard link of a layer leads to nothing that is there at that point.',
    action: DAMAGED,
  },
  EIF_OCI_LIMIT: {
    meaning: 'The container image has more files, a larger file, or more bytes in all layers together, than is taken.',
    action: 'Leave files out of the container image: layers are read whole, with `--closure` too.',
  },
  EIF_OCI_PRIVILEGE: {
    meaning:
      'The container image has programs that give whoever starts them the rights of another user (set-id bits, file capabilities).',
    action:
      'Say `setuid: drop` in section `application` of image.yaml: no program of an enclave gains rights by them. `keep` keeps set-id bits as they are.',
  },
  EIF_OCI_SPOOL: {
    meaning: 'The contents of the container image cannot be kept while the enclave image is written.',
    action: 'Check the free space of the output folder: it takes twice the unpacked container image.',
  },
  EIF_OCI_SKOPEO_MISSING: {
    meaning: 'Fetching an image from a registry needs skopeo, which is not installed.',
    action:
      'Install the Debian package `skopeo`; or give an image that is here: oci:FOLDER, oci-archive:FILE or docker-archive:FILE (`docker save`).',
  },
  EIF_OCI_FETCH: {
    meaning: 'skopeo could not fetch the image.',
    action: 'Read its words in the message: name, network, and credentials (`skopeo login`).',
  },
  EIF_OCI_LOCKED: {
    meaning: 'The container image is not the one that the lock file beside the measured folder names.',
    action: 'If the change is meant, build with --update-lock; else name the image by the digest of the lock file.',
  },
  EIF_OCI_LOCK_INVALID: {
    meaning: 'The lock file beside the measured folder cannot be read or written.',
    action: 'Take it from version control again, or build with --update-lock.',
  },
  EIF_OCI_PROGRAM: {
    meaning: 'A program that enclave.yaml names is not in the container image, or cannot be run there.',
    action: 'Mend `command` (or PATH in `environment`); `acra-enclave eif programs` prints what the image itself says.',
  },
  EIF_OCI_CLOSURE: {
    meaning: 'What the programs need of the container image cannot be told by looking at them.',
    action: 'Name what they load in `application.keep` of image.yaml, or take the whole image.',
  },
  EIF_OCI_CONFIGURATION: {
    meaning: 'The configuration of the container image says something that an enclave cannot do.',
    action: 'Mend the image, or write the section of enclave.yaml by hand.',
  },
} as const satisfies ErrorCatalogue;

export class OciError extends CodedError<keyof typeof OCI_ERRORS> {}
