#!/bin/sh
# In the place of QEMU (NODE is the Node to run it with).
exec "$NODE" "$(dirname "$0")/simulated-machine.ts" "$@"
