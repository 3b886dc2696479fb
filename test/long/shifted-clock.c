// Preloaded into a process: its wall clock goes SHIFT_SECONDS ahead (or behind, below 0), its monotonic clock is as it was.
// libfaketime is of no use here: with it Envoy hangs before its first line.
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long shift(void) {
  static long known, is_known;
  if (!is_known) {
    const char *text = getenv("SHIFT_SECONDS");
    known = text ? atol(text) : 0;
    is_known = 1;
  }
  return known;
}

int clock_gettime(clockid_t id, struct timespec *at) {
  int result = (int)syscall(SYS_clock_gettime, id, at);
  if (result == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) at->tv_sec += shift();
  return result;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
  int result = (int)syscall(SYS_gettimeofday, at, zone);
  if (result == 0 && at) at->tv_sec += shift();
  return result;
}

time_t time(time_t *at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at) *at = now.tv_sec;
  return now.tv_sec;
}
