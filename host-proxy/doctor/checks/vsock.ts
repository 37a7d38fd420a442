/** Whether processes here can open AF_VSOCK sockets. Source: vsock(7). */
import { failure, ok, onNitro } from '../check.ts';

export const vsockCheck = onNitro({
  name: 'vsock',
  checked: 'vsock sockets to the enclave',
  needsNoConfig: true,
  examine({ system }) {
    const error = system.vsockError();
    if (error !== undefined) {
      return failure(
        `the kernel makes no AF_VSOCK socket (${error})`,
        '`modprobe -a vsock vmw_vsock_virtio_transport`; in a container or a sandbox, allow the address family AF_VSOCK.',
      );
    }
    if (system.status('/dev/vsock')) return ok('AF_VSOCK works, /dev/vsock is there');
    return failure(
      'AF_VSOCK works, but there is no /dev/vsock',
      '`modprobe vsock`; in a container, pass the device in.',
    );
  },
});
