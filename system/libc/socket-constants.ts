/**
 * Numbers of the Linux ABI that the relay uses; the same on x86-64 and arm64.
 * Sources: linux/socket.h, linux/net.h, linux/tcp.h, linux/in6.h, linux/eventpoll.h, linux/vm_sockets.h.
 */

export const AF_UNSPEC = 0;
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_VSOCK = 40;

export const SOCK_STREAM = 1;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;

export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_ERROR = 4;
export const SO_KEEPALIVE = 9;
export const SO_LINGER = 13;

export const IPPROTO_TCP = 6;
export const TCP_NODELAY = 1;
export const TCP_KEEPIDLE = 4;
export const TCP_KEEPINTVL = 5;
export const TCP_KEEPCNT = 6;

export const IPPROTO_IPV6 = 41;
export const IPV6_V6ONLY = 26;

/** At the level AF_VSOCK; the values are 64 bits wide. */
export const SO_VM_SOCKETS_BUFFER_SIZE = 0;
export const SO_VM_SOCKETS_BUFFER_MAX_SIZE = 2;

export const MSG_PEEK = 2;
export const MSG_NOSIGNAL = 0x4000;

export const SHUT_WR = 1;

export const EFD_NONBLOCK = SOCK_NONBLOCK;
export const EFD_CLOEXEC = SOCK_CLOEXEC;

export const EPOLL_CLOEXEC = SOCK_CLOEXEC;
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_MOD = 3;

export const EPOLLIN = 0x1;
export const EPOLLOUT = 0x4;
export const EPOLLERR = 0x8;
export const EPOLLHUP = 0x10;
export const EPOLLRDHUP = 0x2000;
/** 1 << 31 as an unsigned number. */
export const EPOLLET = 0x8000_0000;
