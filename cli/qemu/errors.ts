/** Why a part of QEMU's nitro-enclave machine cannot be had. */
import type { ErrorCatalogue } from '../../runtime/errors.ts';
import { CodedError } from '../../runtime/errors.ts';

export const VM_TOOL_ERRORS = {
  VM_TOOL_PROGRAM: {
    meaning: 'A program that an environment variable names cannot be used.',
    action: 'Mend or unset the variable; unset, the program is built.',
  },
  VM_TOOL_COMPILER: {
    meaning: 'There is no compiler to build the tool with.',
    action: 'Run `scripts/vm-packages.sh --install` as root.',
  },
  VM_TOOL_SOURCE: {
    meaning: 'The source of the wanted version is not on the mirror.',
    action: 'Set QEMU_VERSION or MESON_VERSION to a version that the message names, or QEMU_NITRO to a ready program.',
  },
  VM_TOOL_BUILD: {
    meaning: 'The tool did not build.',
    action: 'Read the end of its log in the message; `scripts/vm-packages.sh` says which packages are missing.',
  },
  VM_TOOL_CHANGED: {
    meaning: 'A cached tool is not what was built.',
    action: 'Remove the folder that the message names; the tool is built again.',
  },
} as const satisfies ErrorCatalogue;

export class VmToolError extends CodedError<keyof typeof VM_TOOL_ERRORS> {}
