/* Makes a connection that closes slow, and lets it begin: preloaded into a child.
 *
 * SQLite's own threads, known by their name, take half a second to remove a write-ahead log. All
 * others wait a moment before they remove or rename a database: a connection that was not awaited is
 * then in the middle of its close.
 *
 * SLOW_REMOVED  file that is created after each removal that was slowed down
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int ends_with(const char *path, const char *ending) {
    size_t length = strlen(path), end = strlen(ending);
    return length >= end && !strcmp(path + length - end, ending);
}

static int is_of_sqlite(void) {
    char name[32] = "";
    pthread_getname_np(pthread_self(), name, sizeof name);
    return !strncmp(name, "sqlx-sqlite", 11);
}

static void let_others_begin(const char *path) {
    if (!is_of_sqlite() && ends_with(path, ".db")) usleep(200 * 1000);
}

int unlink(const char *path) {
    int (*real)(const char *) = (int (*)(const char *))dlsym(RTLD_NEXT, "unlink");
    int is_slow = is_of_sqlite() && ends_with(path, "-wal");
    let_others_begin(path);
    if (is_slow) usleep(500 * 1000);
    int result = real(path);
    const char *removed = getenv("SLOW_REMOVED");
    if (is_slow && removed) {
        int file = open(removed, O_CREAT | O_WRONLY, 0600);
        if (file >= 0) close(file);
    }
    return result;
}

int rename(const char *from, const char *to) {
    int (*real)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
    let_others_begin(from);
    return real(from, to);
}
