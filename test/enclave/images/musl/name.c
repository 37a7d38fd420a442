const char *name(void) { return "musl"; }
