/*
 * io_tcp.c - TCP by name: listening and connecting.
 *
 * WHAT    Names are resolved by getaddrinfo(3), offloaded. A task that is
 *         cancelled meanwhile leaves it behind: it may take half a minute.
 * MODEL   The addresses are tried in the order that getaddrinfo gives them in
 *         (RFC 6724), until one will do; the failure is that of the last.
 */
#include "io.h"

#include "base/alloc.h"
#include "offload.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

struct lookup {
    struct addrinfo hints;
    struct addrinfo *found; /* NULL: nothing yet */
    const char *host;       /* in names, or NULL */
    const char *port;       /* in names */
    char names[];
};

static void lookup_free(void *arg)
{
    struct lookup *l = arg;

    if (l->found != NULL) {
        freeaddrinfo(l->found);
    }
    alloc_free(l);
}

static int status_of(int failure)
{
    switch (failure) {
    case 0:
        return 0;
    case EAI_SYSTEM:
        return -errno;
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_AGAIN:
        return -EAGAIN;
    case EAI_SERVICE:
        return -EINVAL;
    default:
        return -ENOENT;
    }
}

static int resolve(void *arg)
{
    struct lookup *l = arg;

    return status_of(getaddrinfo(l->host, l->port, &l->hints, &l->found));
}

static struct lookup *lookup_new(const char *host, const char *port, int flags)
{
    size_t host_size = host == NULL ? 0 : strlen(host) + 1;
    size_t port_size = strlen(port) + 1;
    struct lookup *l = alloc_zero(sizeof(*l) + host_size + port_size);

    if (l != NULL) {
        l->hints.ai_flags = flags;
        l->hints.ai_socktype = SOCK_STREAM;
        l->port = memcpy(l->names, port, port_size);
        l->host =
            host == NULL ? NULL : memcpy(l->names + port_size, host, host_size);
    }
    return l;
}

/* 0: *out is the caller's. */
static int look_up(const char *host, const char *port, int flags,
                   struct lookup **out)
{
    roost_offload_opts opts = {.name = "getaddrinfo", .abandon = lookup_free};
    struct lookup *l = lookup_new(host, port, flags);
    int rc = l == NULL ? -ENOMEM : offload_run(resolve, l, &opts);

    if (rc == 0) {
        *out = l;
    } else if (rc == OFFLOAD_LEFT) {
        rc = -ECANCELED;
    } else if (l != NULL) {
        lookup_free(l);
    }
    return rc;
}

static int made(const struct addrinfo *at)
{
    int fd =
        socket(at->ai_family, at->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
               at->ai_protocol);

    if (fd < 0) {
        return -errno;
    }
    return fd;
}

/* --- connecting --- */

static int connect_to(const struct addrinfo *at)
{
    int fd = made(at);
    int rc;

    if (fd < 0) {
        return fd;
    }
    rc = roost_connect(fd, at->ai_addr, at->ai_addrlen);
    if (rc != 0) {
        (void)roost_close(fd);
    }
    return rc != 0 ? rc : fd;
}

/* The first that `try` makes a descriptor of. */
static int first_of(const struct addrinfo *at,
                    int (*try)(const struct addrinfo *at))
{
    int rc = -ENOENT;

    for (; at != NULL; at = at->ai_next) {
        rc = try(at);
        if (rc >= 0 || rc == -ECANCELED) {
            break;
        }
    }
    return rc;
}

int roost_tcp_connect(const char *host, const char *port)
{
    struct lookup *l;
    int rc = host == NULL || port == NULL ? -EINVAL : fd_enter();

    rc = rc != 0 ? rc : look_up(host, port, 0, &l);
    if (rc == 0) {
        rc = first_of(l->found, connect_to);
        lookup_free(l);
    }
    return rc;
}

/* --- listening --- */

static int bind_to(const struct addrinfo *at)
{
    const int on = 1, off = 0;
    int fd = made(at);
    int rc = 0;

    if (fd < 0) {
        return fd;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (at->ai_family == AF_INET6) { /* where it is for all, for IPv4 too */
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    }
    if (bind(fd, at->ai_addr, at->ai_addrlen) != 0) {
        rc = -errno;
        close(fd);
    }
    return rc != 0 ? rc : fd;
}

static int bind_to_all(const struct addrinfo *at)
{
    return at->ai_family == AF_INET6 ? bind_to(at) : -EAFNOSUPPORT;
}

int roost_tcp_listen(const char *host, const char *port, int backlog)
{
    struct lookup *l;
    int rc = port == NULL || backlog < 0 ? -EINVAL : fd_enter();
    int fd;

    rc = rc != 0 ? rc : look_up(host, port, AI_PASSIVE, &l);
    if (rc != 0) {
        return rc;
    }
    fd = host == NULL ? first_of(l->found, bind_to_all) : -ENOENT;
    fd = fd < 0 ? first_of(l->found, bind_to) : fd;
    lookup_free(l);
    if (fd >= 0 && listen(fd, backlog) != 0) {
        rc = -errno;
        close(fd);
    }
    return rc != 0 ? rc : fd;
}
