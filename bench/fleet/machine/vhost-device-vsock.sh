#!/bin/sh
# In the place of vhost-device-vsock, which a simulated enclave does not need: is there, as its daemon wants to see it, until it is ended.
while [ "$1" != --socket ]; do shift; done
: >"$2"
exec sleep infinity
