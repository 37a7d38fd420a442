/*
 * Loaded into relays that speak AF_VSOCK only, on machines without vsock: each such socket becomes a unix socket named by its port, below the
 * folder in VSOCK_AS_UNIX. The calls stay what they were (socket, bind, connect, accept4, read, write, …), only the family is another, as it is
 * for our own daemons in a simulated enclave. vsock(7), ld.so(8)
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <linux/vm_sockets.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define MAX_DESCRIPTORS 65536

static char is_vsock[MAX_DESCRIPTORS];

static int known(int fd) { return fd >= 0 && fd < MAX_DESCRIPTORS && is_vsock[fd]; }

static int remember(int fd, int is) {
  if (fd >= 0 && fd < MAX_DESCRIPTORS) is_vsock[fd] = (char)is;
  return fd;
}

int socket(int family, int type, int protocol) {
  static __typeof__(&socket) real;
  if (!real) real = REAL(socket);
  if (family != AF_VSOCK) return remember(real(family, type, protocol), 0);
  return remember(real(AF_UNIX, type, 0), 1);
}

static int to_unix(const struct sockaddr *address, struct sockaddr_un *path) {
  const struct sockaddr_vm *vm = (const struct sockaddr_vm *)address;
  const char *folder = getenv("VSOCK_AS_UNIX");
  memset(path, 0, sizeof *path);
  path->sun_family = AF_UNIX;
  int length = snprintf(path->sun_path, sizeof path->sun_path, "%s/%u", folder ? folder : ".", vm->svm_port);
  return length > 0 && (size_t)length < sizeof path->sun_path;
}

static int is_vm(const struct sockaddr *address, socklen_t length) {
  return length >= sizeof(struct sockaddr_vm) && address->sa_family == AF_VSOCK;
}

int bind(int fd, const struct sockaddr *address, socklen_t length) {
  struct sockaddr_un path;
  if (!is_vm(address, length)) return REAL(bind)(fd, address, length);
  if (!to_unix(address, &path)) return errno = ENAMETOOLONG, -1;
  return REAL(bind)(fd, (struct sockaddr *)&path, sizeof path);
}

int connect(int fd, const struct sockaddr *address, socklen_t length) {
  static __typeof__(&connect) real;
  struct sockaddr_un path;
  if (!real) real = REAL(connect);
  if (!is_vm(address, length)) return real(fd, address, length);
  if (!to_unix(address, &path)) return errno = ENAMETOOLONG, -1;
  return real(fd, (struct sockaddr *)&path, sizeof path);
}

/* Whoever dials has some address of the machine. */
static void tell_vm(struct sockaddr *address, socklen_t *length) {
  struct sockaddr_vm vm = {.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST, .svm_port = 1};
  if (!address || !length) return;
  memcpy(address, &vm, *length < sizeof vm ? *length : sizeof vm);
  *length = sizeof vm;
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
  static __typeof__(&accept4) real;
  if (!real) real = REAL(accept4);
  if (!known(fd)) return remember(real(fd, address, length, flags), 0);
  int accepted = remember(real(fd, NULL, NULL, flags), 1);
  if (accepted >= 0) tell_vm(address, length);
  return accepted;
}

int accept(int fd, struct sockaddr *address, socklen_t *length) { return accept4(fd, address, length, 0); }

int getpeername(int fd, struct sockaddr *restrict address, socklen_t *restrict length) {
  if (!known(fd)) return REAL(getpeername)(fd, address, length);
  tell_vm(address, length);
  return 0;
}

int getsockname(int fd, struct sockaddr *restrict address, socklen_t *restrict length) {
  if (!known(fd)) return REAL(getsockname)(fd, address, length);
  tell_vm(address, length);
  return 0;
}
