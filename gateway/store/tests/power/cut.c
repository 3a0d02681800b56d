/* Cuts the power at the n-th change of a file: preloaded into a child process.
 *
 * CUT_DIR   only files below this directory count
 * CUT_AT    the change at which the power goes; 0 never
 * CUT_KIND  kept     everything written so far reached the disk
 *           torn     so did half of the last write
 *           lost     nothing since the last sync of each file did
 * CUT_COUNT file that is told the number of changes when the process ends by itself
 *
 * A "change" is a write, truncation, sync, rename or removal. Shared memory of SQLite (-shm) is no
 * disk: it is removed at the cut, as a reboot would.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))real(#name))

/* What a write or truncation destroyed, newest first. */
struct undo {
    struct undo *older;
    char path[4096];
    off_t offset, size_before;
    size_t length;
    char old[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct undo *undos;
static long changes;

static void *real(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) abort();
    return found;
}

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value ? value : "";
}

static int is_ours(const char *path) {
    const char *dir = setting("CUT_DIR");
    size_t length = strlen(dir), end = strlen(path);
    if (!length || strncmp(path, dir, length)) return 0;
    return end < 4 || strcmp(path + end - 4, "-shm");
}

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, 4095);
    if (length < 0) return 0;
    path[length] = 0;
    return is_ours(path);
}

static int reader(const char *path) {
    static struct { char path[4096]; ino_t inode; int fd; } known[64];
    struct stat now;
    if (stat(path, &now)) return -1;
    for (int i = 0; i < 64; i++) {
        if (!known[i].path[0]) {
            strcpy(known[i].path, path);
            known[i].inode = now.st_ino;
            known[i].fd = REAL(open)(path, O_RDONLY);
        }
        if (known[i].inode == now.st_ino && !strcmp(known[i].path, path)) return known[i].fd;
    }
    return -1;
}

static void remember(int fd, const char *path, off_t offset, size_t length) {
    struct stat now;
    if (fstat(fd, &now)) return;
    size_t there = offset < now.st_size ? (size_t)(now.st_size - offset) : 0;
    if (there > length) there = length;
    struct undo *undo = malloc(sizeof *undo + there);
    if (!undo) abort();
    strcpy(undo->path, path);
    undo->offset = offset;
    undo->size_before = now.st_size;
    undo->length = there;
    /* A descriptor of our own, since SQLite's may be write-only. It is never closed: closing any
     * descriptor of a file would drop SQLite's locks on it. */
    int again = reader(path);
    if (again < 0 || pread(again, undo->old, there, offset) != (ssize_t)there) abort();
    undo->older = undos;
    undos = undo;
}

static void forget(const char *path) {
    struct undo **at = &undos;
    while (*at) {
        struct undo *undo = *at;
        if (!strcmp(undo->path, path)) {
            *at = undo->older;
            free(undo);
        } else {
            at = &undo->older;
        }
    }
}

static void take_back(void) {
    for (struct undo *undo = undos; undo; undo = undo->older) {
        int fd = REAL(open)(undo->path, O_WRONLY);
        if (fd < 0) continue;
        if (REAL(pwrite)(fd, undo->old, undo->length, undo->offset) != (ssize_t)undo->length) abort();
        if (REAL(ftruncate)(fd, undo->size_before)) abort();
    }
}

static void cut(void) {
    if (!strcmp(setting("CUT_KIND"), "lost")) take_back();
    DIR *dir = opendir(setting("CUT_DIR"));
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        size_t end = strlen(entry->d_name);
        if (end > 4 && !strcmp(entry->d_name + end - 4, "-shm"))
            unlinkat(dirfd(dir), entry->d_name, 0);
    }
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* Counts a change; whether the power goes now. Called with the lock held. */
static int is_last(void) {
    return ++changes == atol(setting("CUT_AT"));
}

static int is_torn(void) {
    return !strcmp(setting("CUT_KIND"), "torn");
}

static ssize_t write_at(int fd, const void *data, size_t length, off_t offset) {
    char path[4096];
    if (!path_of(fd, path)) return REAL(pwrite)(fd, data, length, offset);
    pthread_mutex_lock(&lock);
    int last = is_last();
    remember(fd, path, offset, length);
    ssize_t written = REAL(pwrite)(fd, data, last && is_torn() ? length / 2 : length, offset);
    if (last) cut();
    pthread_mutex_unlock(&lock);
    return written;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
    return write_at(fd, data, length, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
    return write_at(fd, data, length, offset);
}

ssize_t write(int fd, const void *data, size_t length) {
    char path[4096];
    if (!path_of(fd, path)) return REAL(write)(fd, data, length);
    pthread_mutex_lock(&lock);
    int last = is_last();
    remember(fd, path, lseek(fd, 0, SEEK_CUR), length);
    ssize_t written = REAL(write)(fd, data, last && is_torn() ? length / 2 : length);
    if (last) cut();
    pthread_mutex_unlock(&lock);
    return written;
}

static int shorten(int fd, off_t size) {
    char path[4096];
    struct stat now;
    if (!path_of(fd, path)) return REAL(ftruncate)(fd, size);
    pthread_mutex_lock(&lock);
    int last = is_last();
    if (!fstat(fd, &now) && now.st_size > size) remember(fd, path, size, (size_t)(now.st_size - size));
    int result = REAL(ftruncate)(fd, size);
    if (last) cut();
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate(int fd, off_t size) { return shorten(fd, size); }
int ftruncate64(int fd, off64_t size) { return shorten(fd, size); }

static int settle(int fd, int (*sync)(int)) {
    char path[4096];
    if (!path_of(fd, path)) return sync(fd);
    pthread_mutex_lock(&lock);
    /* The power goes before the sync, then after it. */
    if (is_last()) cut();
    int result = sync(fd);
    forget(path);
    if (is_last()) cut();
    pthread_mutex_unlock(&lock);
    return result;
}

int fsync(int fd) { return settle(fd, REAL(fsync)); }
int fdatasync(int fd) { return settle(fd, REAL(fdatasync)); }

int rename(const char *from, const char *to) {
    if (!is_ours(to)) return REAL(rename)(from, to);
    pthread_mutex_lock(&lock);
    if (is_last()) cut();
    int result = REAL(rename)(from, to);
    if (is_last()) cut();
    pthread_mutex_unlock(&lock);
    return result;
}

int unlink(const char *path) {
    if (!is_ours(path)) return REAL(unlink)(path);
    pthread_mutex_lock(&lock);
    if (is_last()) cut();
    int result = REAL(unlink)(path);
    forget(path);
    pthread_mutex_unlock(&lock);
    return result;
}

__attribute__((destructor)) static void tell(void) {
    int fd = REAL(open)(setting("CUT_COUNT"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd >= 0) dprintf(fd, "%ld\n", changes);
}
