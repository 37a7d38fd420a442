/* A library that needs another one, which only the program's RUNPATH leads to. */
const char *name(void);
const char *greeting(void) { return name(); }
