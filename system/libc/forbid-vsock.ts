/**
 * Takes AF_VSOCK away from a process and all that it becomes. File permissions do not guard it: any user of the enclave
 * may dial any port of the parent. acra-server has TCP and unix sockets; what leaves the enclave leaves by the route table.
 * Specification: the kernel's Documentation/userspace-api/seccomp_filter.rst; seccomp(2).
 */
import koffi from 'koffi';

/** linux/prctl.h, linux/seccomp.h */
const PR_SET_SECCOMP = 22;
const SECCOMP_MODE_FILTER = 2;
const SECCOMP_RET_ALLOW = 0x7fff0000;
const SECCOMP_RET_ERRNO = 0x00050000;
const SECCOMP_RET_KILL_PROCESS = 0x80000000;
/** asm-generic/errno.h, linux/socket.h */
const ENOSYS = 38;
const EAFNOSUPPORT = 97;
const AF_VSOCK = 40;
/** Offsets in struct seccomp_data (linux/seccomp.h); the low half of the first argument. */
const NUMBER_AT = 0;
const ARCHITECTURE_AT = 4;
const FIRST_ARGUMENT_AT = 16;
/** linux/bpf_common.h: BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, BPF_JMP|BPF_JGE|BPF_K, BPF_RET|BPF_K */
const LOAD = 0x20;
const IS_EQUAL = 0x15;
const IS_AT_LEAST = 0x35;
const RETURN = 0x06;
const INSTRUCTION_BYTES = 8;

/** linux/audit.h, asm/unistd.h. x86-64 has a second numbering (x32) from bit 30 on. */
const MACHINES: Readonly<Record<string, { readonly architecture: number; readonly socket: number }>> = {
  x64: { architecture: 0xc000003e, socket: 41 },
  arm64: { architecture: 0xc00000b7, socket: 198 },
};
const X32_NUMBERS = 0x40000000;
/** asm-generic/unistd.h, the same everywhere. Its rings make sockets too, past any filter of calls (io_uring_enter(2), IORING_OP_SOCKET). */
const IO_URING_SETUP = 425;

/** Code, jump when true, jump when false, operand. */
type Instruction = readonly [number, number, number, number];

function filter({ architecture, socket }: { readonly architecture: number; readonly socket: number }): Buffer {
  const program: readonly Instruction[] = [
    [LOAD, 0, 0, ARCHITECTURE_AT],
    [IS_EQUAL, 1, 0, architecture],
    [RETURN, 0, 0, SECCOMP_RET_KILL_PROCESS],
    [LOAD, 0, 0, NUMBER_AT],
    [IS_AT_LEAST, 0, 1, X32_NUMBERS],
    [RETURN, 0, 0, SECCOMP_RET_KILL_PROCESS],
    [IS_EQUAL, 0, 1, IO_URING_SETUP],
    [RETURN, 0, 0, SECCOMP_RET_ERRNO | ENOSYS],
    [IS_EQUAL, 0, 3, socket],
    [LOAD, 0, 0, FIRST_ARGUMENT_AT],
    [IS_EQUAL, 0, 1, AF_VSOCK],
    [RETURN, 0, 0, SECCOMP_RET_ERRNO | EAFNOSUPPORT],
    [RETURN, 0, 0, SECCOMP_RET_ALLOW],
  ];
  const bytes = Buffer.alloc(program.length * INSTRUCTION_BYTES);
  for (const [index, [code, whenTrue, whenFalse, operand]] of program.entries()) {
    const at = index * INSTRUCTION_BYTES;
    bytes.writeUInt16LE(code, at);
    bytes.writeUInt8(whenTrue, at + 2);
    bytes.writeUInt8(whenFalse, at + 3);
    bytes.writeUInt32LE(operand, at + 4);
  }
  return bytes;
}

/** Needs no_new_privs. @returns false where the kernel cannot; then nothing has changed. */
export function forbidVsock(): boolean {
  const machine = MACHINES[process.arch];
  if (!machine) return false;
  const program = koffi.struct({ length: 'uint16', filter: 'void *' });
  const prctl = koffi
    .load(null)
    .func('prctl', 'int', ['int', 'unsigned long', koffi.pointer(program), 'unsigned long', 'unsigned long']);
  const bytes = filter(machine);
  const length = bytes.length / INSTRUCTION_BYTES;
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, { length, filter: bytes }, 0, 0) === 0;
}
