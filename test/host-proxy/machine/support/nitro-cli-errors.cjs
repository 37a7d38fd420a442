/**
 * What nitro-cli 1.5 prints for its errors: the name of the error and the words that could mislead a reader of it; `…` stands
 * for what was left out, `{0}` and so on for what the failing call adds. CommonJS, as the stand-in for nitro-cli reads it too.
 */
const TEXTS = {
  E07: "Read from disk failure. … '/run/nitro_enclaves/' …",
  E11: 'Socket error. …',
  E17: 'Serde error. …',
  E19: 'File operation failure. … such as opening the EIF file when launching an enclave, … or writing to the log file.',
  E22: "Insufficient CPUs available in the pool. User provided `{0}` is {1}, … '/etc/nitro_enclaves/allocator.yaml' …",
  E26: 'Insufficient memory requested. User provided `{0}` is {1} MB, … the EIF file size, … {2} MB',
  E27: "Insufficient memory available. User provided `{0}` is {1} MB, … '/etc/nitro_enclaves/allocator.yaml' …",
  E29: 'Ioctl failure. …',
  E35: 'EIF file parsing error. … the required hugepages …',
  E36: 'Enclave boot failure. … booted from an invalid EIF file …',
  E38: 'Enclave process command not executed error. …',
  E39: 'Enclave process connection failure. …',
  E44: 'Enclave console connection failure. …',
  E59: 'EIF signature checker error. …',
};

/** `info` is what stands in the text. */
function describe(code, info) {
  const text = TEXTS[code].replace(/\{(\d)\}/g, (_, place) => info[Number(place)] ?? 'MISSING_INFO');
  const file = code === 'E19' && info.length >= 2 ? `\nFile: '${info[0]}', failing operation: '${info[1]}'.` : '';
  return `[ ${code} ] ${text}${file}`;
}

/** As construct_error_message of src/common/mod.rs. With steps, outermost first, as it is with BACKTRACE=1. */
exports.errorMessage = (number, info = [], steps = undefined) => {
  const code = `E${String(number).padStart(2, '0')}`;
  const link = `https://docs.aws.amazon.com/enclaves/latest/user/cli-errors.html#${code}`;
  const parts = [describe(code, info), `For more details, please visit ${link}`];
  if (steps) {
    const tail = ['Root error file: src/x.rs', 'Root error line: 1', 'Version: 1.5.0'];
    const lines = ['Action: Run Enclave', 'Subactions:', ...steps.map((step) => `  ${step}`), ...tail];
    parts.push(`Backtrace:\n${lines.map((line) => `  ${line}`).join('\n')}`);
  }
  parts.push('If you open a support ticket, please provide the error log found at "/var/log/nitro_enclaves/err1.log"');
  return parts.join('\n\n');
};
