/** Whether this process owns the machine, or another init (nitro-cli's) started it. */

const INIT_PID = 1;

export function isInit(): boolean {
  return process.pid === INIT_PID;
}
