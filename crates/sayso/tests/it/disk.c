/* A disk that fails when it is told to: the calls with which a program writes, for files named events.db.
 *
 * The file named by SAYSO_TEST_DISK says how. "sync": what was written does not reach the disk. "full": there is
 * no room while the file named by SAYSO_TEST_RESERVE lies there. Anything else: the disk works. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int is_ledger(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, "events.db") != NULL;
}

static int fails(int file, const char *how) {
    const char *plan = getenv("SAYSO_TEST_DISK");
    char word[8] = {0};
    if (plan == NULL || !is_ledger(file)) return 0;
    int opened = open(plan, O_RDONLY | O_CLOEXEC);
    if (opened < 0) return 0;
    ssize_t length = read(opened, word, sizeof word - 1);
    close(opened);
    return length > 0 && strncmp(word, how, strlen(how)) == 0;
}

static int is_full(int file) {
    const char *reserve = getenv("SAYSO_TEST_RESERVE");
    return fails(file, "full") && reserve != NULL && access(reserve, F_OK) == 0;
}

#define REAL(name) (__typeof__(&name))dlsym(RTLD_NEXT, #name)

int fdatasync(int file) {
    if (fails(file, "sync")) { errno = EIO; return -1; }
    return (REAL(fdatasync))(file);
}

int fsync(int file) {
    if (fails(file, "sync")) { errno = EIO; return -1; }
    return (REAL(fsync))(file);
}

ssize_t write(int file, const void *bytes, size_t length) {
    if (is_full(file)) { errno = ENOSPC; return -1; }
    return (REAL(write))(file, bytes, length);
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t at) {
    if (is_full(file)) { errno = ENOSPC; return -1; }
    return (REAL(pwrite))(file, bytes, length, at);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t at) {
    if (is_full(file)) { errno = ENOSPC; return -1; }
    return (REAL(pwrite64))(file, bytes, length, at);
}
