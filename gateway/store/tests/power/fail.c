/* Makes writing fail: preloaded into a child process.
 *
 * FAIL_DIR  only files below this directory fail
 * FAIL_FILE while this file is there, what is written to the others fails with the number in it
 *
 * Writes and syncs fail. Shared memory of SQLite (-shm) is no disk and does not.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) abort();
    return found;
}

static int is_ours(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    const char *dir = getenv("FAIL_DIR");
    if (!dir || strncmp(path, dir, strlen(dir))) return 0;
    return length < 4 || strcmp(path + length - 4, "-shm");
}

/* The number to fail with; 0 to go on. */
static int failure(int fd) {
    char text[16];
    const char *name = getenv("FAIL_FILE");
    if (!name || !is_ours(fd)) return 0;
    int file = REAL(open)(name, O_RDONLY);
    if (file < 0) return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    if (length <= 0) return 0;
    text[length] = 0;
    return atoi(text);
}

#define FAIL_OR(fd, call) do { int number = failure(fd); if (number) { errno = number; return -1; } return call; } while (0)

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
    FAIL_OR(fd, REAL(pwrite)(fd, data, length, offset));
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
    FAIL_OR(fd, REAL(pwrite64)(fd, data, length, offset));
}

ssize_t write(int fd, const void *data, size_t length) { FAIL_OR(fd, REAL(write)(fd, data, length)); }

int fsync(int fd) { FAIL_OR(fd, REAL(fsync)(fd)); }
int fdatasync(int fd) { FAIL_OR(fd, REAL(fdatasync)(fd)); }
