/*
 * listing.c - reading and sorting a directory. 16 bytes an entry and its name.
 */
#include "listing.h"
#include "input.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <roost/roost.h>

static struct listing *new_listing(char *prefix)
{
    struct listing *l = prefix == NULL ? NULL : calloc(1, sizeof *l);

    if (l == NULL) {
        free(prefix);
        return NULL;
    }
    l->prefix = prefix;
    return l;
}

void listing_free(struct listing *l)
{
    if (l != NULL) {
        free(l->prefix);
        free(l->names);
        free(l->entries);
        free(l);
    }
}

/* Room for one more of size bytes. 0 or -ENOMEM. */
static int grow(void **array, size_t *room, size_t needed, size_t size)
{
    size_t more = *room == 0 ? 64 : *room * 2;
    void *grown;

    if (needed <= *room) {
        return 0;
    }
    more = more < needed ? needed : more;
    grown = realloc(*array, more * size);
    if (grown == NULL) {
        return -ENOMEM;
    }
    *array = grown;
    *room = more;
    return 0;
}

static int add(struct listing *l, const char *name, enum kind kind)
{
    size_t n = strlen(name) + 1;
    void *names = l->names;
    void *entries = l->entries;
    int rc = grow(&names, &l->names_room, l->names_size + n, 1);

    l->names = names;
    if (rc == 0) {
        rc = grow(&entries, &l->room, l->count + 1, sizeof *l->entries);
        l->entries = entries;
    }
    if (rc == 0) {
        memcpy(l->names + l->names_size, name, n);
        l->entries[l->count++] = (struct entry){l->names_size, kind};
        l->names_size += n;
        l->census.files += kind == KIND_FILE;
        l->census.directories += kind == KIND_DIRECTORY;
    }
    return rc;
}

struct listing *listing_of_operands(char **paths, size_t n)
{
    struct listing *l = new_listing(strdup(""));
    size_t i;

    if (l != NULL) {
        l->operands = true;
    }
    for (i = 0; l != NULL && i < n; i++) {
        if (add(l, paths[i], KIND_FILE) != 0) {
            listing_free(l);
            l = NULL;
        }
    }
    return l;
}

char *listing_path(const struct listing *l, size_t i)
{
    const char *name = l->names + l->entries[i].name;
    size_t before = strlen(l->prefix);
    size_t n = strlen(name) + 1;
    char *path = malloc(before + n);

    if (path != NULL) {
        memcpy(path, l->prefix, before);
        memcpy(path + before, name, n);
    }
    return path;
}

/* "dir" gives "dir/", "dir//" too; "/" and "" stay. NULL: no memory. */
static char *prefix_of(const char *path)
{
    size_t n = strlen(path);
    char *prefix = malloc(n + 2);

    if (prefix == NULL) {
        return NULL;
    }
    while (n > 1 && path[n - 1] == '/') {
        n--;
    }
    memcpy(prefix, path, n);
    if (n > 0 && path[n - 1] != '/') {
        prefix[n++] = '/';
    }
    prefix[n] = '\0';
    return prefix;
}

static int compare(const void *left, const void *right, void *names)
{
    const struct entry *l = left;
    const struct entry *r = right;
    const unsigned char *a = (const unsigned char *)names + l->name;
    const unsigned char *b = (const unsigned char *)names + r->name;
    int at_a, at_b;

    while (*a == *b && *a != '\0') {
        a++;
        b++;
    }
    at_a = *a == '\0' && l->kind == KIND_DIRECTORY ? '/' : *a;
    at_b = *b == '\0' && r->kind == KIND_DIRECTORY ? '/' : *b;
    return at_a - at_b;
}

/* Some file systems do not tell what an entry is. One that has vanished since
 * is taken for a file: opening it will say so. */
static unsigned char type_of(int fd, const struct dirent *d)
{
    struct stat st;

    if (d->d_type != DT_UNKNOWN) {
        return d->d_type;
    }
    /* NOLINTNEXTLINE(clang-analyzer-unix.StdCLibraryFunctions): it is open */
    if (fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return DT_REG;
    }
    return IFTODT(st.st_mode);
}

static int add_dirent(struct listing *l, int fd, const struct dirent *d)
{
    if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0) {
        return 0;
    }
    switch (type_of(fd, d)) {
    case DT_REG:
        return add(l, d->d_name, KIND_FILE);
    case DT_DIR:
        return add(l, d->d_name, KIND_DIRECTORY);
    default:
        l->census.skipped++;
        return 0;
    }
}

static int read_all(struct listing *l, DIR *dir)
{
    const struct dirent *d;
    int rc = 0;

    while (rc == 0) {
        if (roost_cancelled()) {
            return -ECANCELED;
        }
        errno = 0;
        d = readdir(dir);
        if (d == NULL) {
            return -errno;
        }
        rc = add_dirent(l, dirfd(dir), d);
    }
    return rc;
}

int listing_read(struct listing **out, const char *path, bool command_line)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_NOCTTY;
    int fd = open_path(*path == '\0' ? "." : path,
                       flags | (command_line ? 0 : O_NOFOLLOW));
    struct listing *l;
    DIR *dir;
    int rc;

    if (fd < 0) {
        return fd;
    }
    dir = fdopendir(fd);
    if (dir == NULL) {
        rc = -errno;
        close(fd);
        return rc;
    }
    l = new_listing(prefix_of(path));
    rc = l == NULL ? -ENOMEM : read_all(l, dir);
    closedir(dir);
    if (rc == -ECANCELED) {
        listing_free(l);
        return rc;
    }
    if (l != NULL && l->count > 0) {
        qsort_r(l->entries, l->count, sizeof *l->entries, compare, l->names);
    }
    if (l != NULL) {
        *out = l;
    }
    return rc;
}
