/**
 * Finds what the kernel would run for a command, down to the ELF file that does the work: through PATH, links, `#!` lines and `env`.
 * Nothing is run. Specification: execve(2), "Interpreter scripts"; exec(3) for PATH.
 */
import { posix } from 'node:path';
import { candidatesOf, DEFAULT_PATH } from '../../../system/processes/candidates.ts';
import type { Architecture } from '../../format/header.ts';
import { ARCHITECTURES } from '../../rootfs/architecture.ts';
import type { ElfFile } from '../../rootfs/elf.ts';
import { OciError } from '../errors.ts';
import type { Found } from '../layers/look-up.ts';
import { isMountedOver } from '../places.ts';
import type { FoundFile, ImageFiles } from './file-system.ts';

/** Of a program of the application, as enclave.yaml says it. */
export interface ProgramOfImage {
  readonly name: string;
  readonly command: readonly string[];
  readonly user: { readonly uid: number; readonly gid: number };
  readonly environment: Readonly<Record<string, string>>;
  readonly workingFolder: string;
}

export interface FoundProgram {
  /** Scripts first, in the order in which the kernel goes through them; the ELF file last. */
  readonly files: readonly FoundFile[];
  readonly elf: ElfFile;
}

/** BINPRM_BUF_SIZE of Linux. */
const MAX_LINE_BYTES = 256;
/** The kernel gives up a little earlier; who has more has a circle. */
const MAX_SCRIPTS = 5;

/** @throws OciError EIF_OCI_PROGRAM; EifBuildError EIF_BUILD_ELF */
export async function findProgram(
  files: ImageFiles,
  program: ProgramOfImage,
  architecture: Architecture,
): Promise<FoundProgram> {
  const [word = ''] = program.command;
  const way: FoundFile[] = [];
  let file = locate(files, program, word);
  for (let scripts = 0; scripts < MAX_SCRIPTS; scripts++) {
    way.push(file);
    const elf = await files.elf(file);
    if (elf !== undefined) return checked(files, { files: way, elf }, { program, architecture });
    file = locate(files, program, await interpreterOf(files, file, program));
  }
  throw refused(program, `/${way[0]?.path} is run by scripts without end`);
}

function refused({ name }: ProgramOfImage, why: string, allowed?: string): OciError {
  const details = allowed === undefined ? {} : { allowed };
  return new OciError('EIF_OCI_PROGRAM', `program ${name} cannot run in the image: ${why}`, details);
}

/** As the launcher in the enclave does. */
function locate(files: ImageFiles, program: ProgramOfImage, word: string): FoundFile {
  const { environment, workingFolder, user } = program;
  const found = candidatesOf(word, environment['PATH']).flatMap((path) => {
    const file = files.findFile(posix.resolve(workingFolder, path));
    return file === undefined ? [] : file;
  });
  const file = found.find((each) => mayReach(each, user) && mayExecute(each.node.inode, user));
  if (file !== undefined && isMountedOver(file.path))
    throw refused(program, `the enclave mounts memory over /${file.path}`, 'a program elsewhere');
  if (file !== undefined) return file;
  const [other] = found;
  if (other === undefined) throw refused(program, `there is no program ${word}`, environment['PATH'] ?? DEFAULT_PATH);
  if (mayReach(other, user))
    throw refused(program, `user ${user.uid} may not execute /${other.path}`, 'an executable file');
  throw refused(
    program,
    `user ${user.uid} may not enter a folder of /${other.path}`,
    'folders that the user may enter',
  );
}

interface Owned {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

function mayReach({ folders }: Found, user: ProgramOfImage['user']): boolean {
  return [...folders].every((folder) => mayExecute(folder, user));
}

/** Of a folder: may look for names in it. User 0 is as any other: the enclave launches programs without capabilities (docs/applications.md). */
function mayExecute({ mode, uid, gid }: Owned, user: ProgramOfImage['user']): boolean {
  const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
  return (mode & bit) !== 0;
}

/** The word after `#!`; of `env`, the program that it is to start. */
async function interpreterOf(files: ImageFiles, file: FoundFile, program: ProgramOfImage): Promise<string> {
  const start = (await files.start(file, MAX_LINE_BYTES)).toString('latin1');
  const [, interpreter, argument = ''] = /^#![ \t]*([^ \t\n\0]+)[ \t]*([^\n\0]*)/.exec(start) ?? [];
  if (interpreter === undefined) throw refused(program, `/${file.path} is neither an ELF file nor a script with #!`);
  if (posix.basename(interpreter) !== 'env' || argument === '') return interpreter;
  locate(files, program, interpreter);
  const words = argument.trim().split(/[ \t]+/);
  return words.find((word) => !word.startsWith('-') && !word.includes('=')) ?? interpreter;
}

interface Expected {
  readonly program: ProgramOfImage;
  readonly architecture: Architecture;
}

function checked(files: ImageFiles, found: FoundProgram, { program, architecture }: Expected): FoundProgram {
  const path = `/${found.files.at(-1)?.path}`;
  const { machine, interpreter } = found.elf;
  const { elfMachine } = ARCHITECTURES[architecture];
  if (machine !== elfMachine)
    throw refused(program, `${path} is for another processor`, `machine ${elfMachine} (${architecture})`);
  if (interpreter !== undefined && files.findFile(interpreter) === undefined)
    throw refused(program, `${path} needs the loader ${interpreter}, which is not in the image`);
  requireWorkingFolder(files, program);
  return found;
}

function requireWorkingFolder(files: ImageFiles, program: ProgramOfImage): void {
  const { workingFolder, user } = program;
  const found = files.find(workingFolder);
  if (found?.node.kind !== 'folder') throw refused(program, `its working folder ${workingFolder} is not in the image`);
  if (isMountedOver(found.path))
    throw refused(program, `the enclave mounts memory over its working folder ${workingFolder}`);
  if (!mayReach(found, user) || !mayExecute(found.node, user))
    throw refused(program, `user ${user.uid} may not enter its working folder ${workingFolder}`);
}
