/* Tells by which C library it runs, as whom, where, and one variable of its environment. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *greeting(void);

int main(void) {
  char folder[256];
  const char *place = getcwd(folder, sizeof folder);
  const char *variable = getenv("GREETING");
  printf("%s %d:%d %s %s\n", greeting(), getuid(), getgid(), place ? place : "-", variable ? variable : "-");
  return 0;
}
