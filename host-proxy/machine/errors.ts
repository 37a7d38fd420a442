/** Error codes of the enclave's life cycle on the parent: starting its machine, waiting for it, watching it, ending it. */
import type { ErrorCatalogue } from '../../runtime/errors.ts';
import { CodedError } from '../../runtime/errors.ts';

export const ENCLAVE_ERRORS = {
  ENCLAVE_BOOT_BUSY: {
    meaning: 'The heartbeat’s port (vsock 9000 of the parent) is taken: another enclave of this parent is booting.',
    action: 'Wait until it has booted; only one enclave may boot at a time.',
  },
  ENCLAVE_BOOT_FAILED: {
    meaning: 'The enclave ended, or nitro-cli ended it, before its heartbeat came.',
    action:
      'Check the image with `acra-enclave eif verify`. With `debug: true` the console tells more (KMS then refuses the enclave).',
  },
  ENCLAVE_CID_TAKEN: {
    meaning: 'Another enclave of this parent has the CID.',
    action: 'Choose another `enclave.cid` in host-proxy.yaml, or end that enclave.',
  },
  ENCLAVE_CLOSED: {
    meaning:
      'The enclave failed after it had served (a poison record, or acra-server ended too often). It is closed to applications; its machine is left as it is.',
    action:
      'Look up the enclave’s own code in the record and read `acra-enclave logs`. Unless the machine ends by itself, nothing starts it again: when the cause is mended, `systemctl restart acra-enclave`.',
  },
  ENCLAVE_CPUS_UNAVAILABLE: {
    meaning: 'The pool of CPUs for enclaves has too few free CPUs, or not whole cores.',
    action:
      'Raise `cpu_count` in /etc/nitro_enclaves/allocator.yaml and restart nitro-enclaves-allocator.service, or lower `enclave.run.cpuCount`; where cores have two threads it must be even.',
  },
  ENCLAVE_DEVICE_MISSING: {
    meaning: '/dev/nitro_enclaves cannot be opened: no driver, no enclave support on this instance, or no permission.',
    action:
      'Start the instance with enclaves enabled, load the module nitro_enclaves, and run as a member of the group `ne`.',
  },
  ENCLAVE_DIED: {
    meaning: 'The enclave’s machine ended although nobody had asked for it.',
    action: 'Read the last status and the end of the console in the message, and the enclave’s last log records.',
  },
  ENCLAVE_FAILED: {
    meaning: 'The enclave said that it failed.',
    action: 'Read phase, code and detail in the message; the code has its own line in docs/errors.md.',
  },
  ENCLAVE_GAVE_UP: {
    meaning: 'The enclave ended too often within the window of `enclave.run.restart`, so it is not started again.',
    action: 'Mend what the last end names, then start again.',
  },
  ENCLAVE_HEARTBEAT_TIMEOUT: {
    meaning: 'The enclave’s machine started, but no heartbeat came before its deadline.',
    action:
      'Read the end of the console in the message; check the image with `acra-enclave eif verify`, memory and CPUs.',
  },
  ENCLAVE_HEARTBEAT_WRONG: {
    meaning: 'Something else than the byte 0xB7 came to the heartbeat’s port.',
    action: 'Check that the image was built by `acra-enclave eif build`.',
  },
  ENCLAVE_IMAGE_INVALID: {
    meaning: 'nitro-cli cannot read the image’s sections, or they do not fit the memory.',
    action: 'Check it with `acra-enclave eif verify`; if it is sound, the hugepages are short: see the allocator.',
  },
  ENCLAVE_IMAGE_UNREADABLE: {
    meaning: 'The enclave image cannot be opened.',
    action: 'Check `enclave.run.image` in host-proxy.yaml and the file’s permissions.',
  },
  ENCLAVE_LOST: {
    meaning: 'The enclave’s machine runs, but nothing was heard from it for too long, so it was ended.',
    action: 'Read the enclave’s last log records and the parent’s load; `enclave.run.lostMs` is the limit.',
  },
  ENCLAVE_MEMORY_TOO_SMALL: {
    meaning: 'The enclave’s memory is smaller than nitro-cli allows for this image: 4 times its size.',
    action: 'Raise `enclave.run.memoryMiB` in host-proxy.yaml, and the allocator’s memory_mib if needed.',
  },
  ENCLAVE_MEMORY_UNAVAILABLE: {
    meaning: 'The parent has not enough free hugepages for the enclave.',
    action:
      'Raise `memory_mib` in /etc/nitro_enclaves/allocator.yaml and restart nitro-enclaves-allocator.service; memory in use may be too fragmented, then reboot.',
  },
  ENCLAVE_NITRO_CLI_ENVIRONMENT: {
    meaning: 'nitro-cli cannot use its own folders /run/nitro_enclaves and /var/log/nitro_enclaves.',
    action: 'Install aws-nitro-enclaves-cli, restart its allocator service, and run as a member of the group `ne`.',
  },
  ENCLAVE_NITRO_CLI_FAILED: {
    meaning: 'nitro-cli failed with an error that has no line of its own here.',
    action: 'Read its text in the message, or run `nitro-cli explain --error-code` with its code.',
  },
  ENCLAVE_NITRO_CLI_REPLY: {
    meaning: 'nitro-cli answered in a form that this release does not know.',
    action: 'Check the release of aws-nitro-enclaves-cli; 1.5 is known to work.',
  },
  ENCLAVE_NO_CONSOLE: {
    meaning: 'The enclave has no console: an enclave that is not in debug mode has none.',
    action:
      'Set `enclave.run.debug: true` to look at a boot; a debug enclave attests PCRs of zeros, so KMS refuses it.',
  },
  ENCLAVE_NOT_TERMINATED: {
    meaning: 'The enclave’s machine is still there after it was told to end.',
    action: 'End it by hand: `nitro-cli terminate-enclave --enclave-id` with its id; if that fails, reboot the parent.',
  },
  ENCLAVE_READY_TIMEOUT: {
    meaning: 'The enclave sent its heartbeat, but did not serve before its deadline.',
    action: 'The message names the phase that it hangs in and what it waits for.',
  },
  ENCLAVE_SIGNATURE_INVALID: {
    meaning: 'The image’s signature does not verify, or its certificate is not valid now.',
    action: 'Sign the image again with `acra-enclave eif sign` and a certificate that is valid; check the clock.',
  },
  ENCLAVE_START_REFUSED: {
    meaning: 'The Nitro driver refused to make or start the enclave.',
    action:
      'Read the reason in the message. Usual ones: 4 enclaves run already, the CID is in use, the CPUs are no whole cores, or the pool lies on another NUMA node than the memory.',
  },
  ENCLAVE_VSOCK_DEVICE: {
    meaning: 'vhost-device-vsock ended, or did not open its socket.',
    action: 'Read its last lines in the message; `enclave.path` must lie in a writable folder.',
  },
} as const satisfies ErrorCatalogue;

export type EnclaveErrorCode = keyof typeof ENCLAVE_ERRORS;

export class EnclaveError extends CodedError<EnclaveErrorCode> {}
