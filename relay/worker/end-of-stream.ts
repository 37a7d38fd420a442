/**
 * Whether a read of 0 bytes is the end of the stream. It is, except on vsock before anything was received and before epoll
 * has reported a hang-up: vhost-device-vsock may give such a read right after connect (rust-vmm/vhost-device#963).
 * Specification: relay.md, must hold 9.
 */
export function isEndOfStream(read: {
  readonly isVsock: boolean;
  readonly receivedBytes: number;
  /** EPOLLRDHUP, EPOLLHUP or EPOLLERR was reported. */
  readonly isHungUp: boolean;
}): boolean {
  return !read.isVsock || read.receivedBytes > 0 || read.isHungUp;
}
