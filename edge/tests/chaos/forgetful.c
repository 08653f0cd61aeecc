/* A disk that forgets what was not synced, for one process (LD_PRELOAD).
 *
 * Whatever is written goes to the real files below FORGETFUL_ROOT. Only what fsync(2) or fdatasync(2) promised is copied to
 * FORGETFUL_KEPT: the bytes of a file as <inode>.file, the names in a folder as <inode>.folder, one a line: "<inode> d <name>" for
 * a folder, "<inode> f <name>" for anything else.
 * sync_file_range(2) promises nothing, so it keeps nothing. The names in a folder are kept only when the folder itself is
 * synced, which is all that POSIX promises.
 *
 * With FORGETFUL_LIES=1 fdatasync keeps nothing either: a program under test that then loses nothing is not tested.
 * FORGETFUL_CLOCK_S is added to what the system clock says (not to the monotonic one).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

static int is_below_root(int fd) {
  const char *root = getenv("FORGETFUL_ROOT");
  char link[64], path[PATH_MAX];
  if (!root) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strncmp(path, root, strlen(root)) == 0;
}

static void copy_bytes(int fd, FILE *to) {
  char link[64], buffer[65536];
  size_t read;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  FILE *from = fopen(link, "r");
  if (!from) return;
  while ((read = fread(buffer, 1, sizeof buffer, from)) > 0) fwrite(buffer, 1, read, to);
  fclose(from);
}

static void list_names(int fd, FILE *to) {
  char link[64];
  struct dirent *entry;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  DIR *folder = opendir(link);
  if (!folder) return;
  while ((entry = readdir(folder)))
    if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
      fprintf(to, "%lu %c %s\n", (unsigned long)entry->d_ino, entry->d_type == DT_DIR ? 'd' : 'f', entry->d_name);
  closedir(folder);
}

static void keep(int fd) {
  const char *kept = getenv("FORGETFUL_KEPT");
  struct stat what;
  char part[PATH_MAX], whole[PATH_MAX];
  if (!kept || !is_below_root(fd) || fstat(fd, &what) != 0) return;
  int is_folder = S_ISDIR(what.st_mode);
  snprintf(part, sizeof part, "%s/part", kept);
  snprintf(whole, sizeof whole, "%s/%lu.%s", kept, (unsigned long)what.st_ino, is_folder ? "folder" : "file");
  pthread_mutex_lock(&one_at_a_time);
  FILE *to = fopen(part, "w");
  if (to) {
    if (is_folder) list_names(fd, to); else copy_bytes(fd, to);
    fclose(to);
    rename(part, whole);
  }
  pthread_mutex_unlock(&one_at_a_time);
}

int fsync(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  int done = real(fd);
  if (done == 0) keep(fd);
  return done;
}

int fdatasync(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  int done = real(fd);
  if (done == 0 && !getenv("FORGETFUL_LIES")) keep(fd);
  return done;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  static int (*real)(clockid_t, struct timespec *);
  const char *step = getenv("FORGETFUL_CLOCK_S");
  if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  int done = real(clock, now);
  if (done == 0 && clock == CLOCK_REALTIME && step) now->tv_sec += atol(step);
  return done;
}
