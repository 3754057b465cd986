/*
 * http_fuzz.c - what httpd reads from a connection: requests, one behind the
 * other. In whatever pieces they come, they are the same requests.
 *
 *   byte 0   the limits: of the header and of the body
 *        1   the size of a piece
 *   from 2   what a client has sent
 */
#include "fuzz.h"

#include "../../benchmarks/apps/httpd/request.h"

#include <string.h>

enum { REQUESTS = 8 };

/* What is known of a request once it has been read. */
struct seen {
    char target[TARGET_MAX], deadline[16];
    bool complete, keeps_alive, has_query;
    int refused;
    size_t body_size;
    uint64_t body_hash;
};

static void look(const struct request *r, struct seen *s)
{
    memset(s, 0, sizeof(*s));
    s->complete = r->complete;
    s->refused = r->refused;
    if (r->complete) {
        fuzz_check(r->target_size < TARGET_MAX, "a target is too long");
        strcpy(s->target, r->target);
        strcpy(s->deadline, r->deadline);
        s->has_query = r->query != NULL;
        s->keeps_alive = request_keeps_alive(r);
        s->body_size = r->body_size;
        s->body_hash = r->body_hash;
    }
}

/* The parameters that routes ask for. */
static void ask(const struct request *r)
{
    static const char *const names[] = {"n", "ms", "rounds", "w"};
    roost_ns ns = -1;

    for (unsigned i = 0; i < 4; i++) {
        uint64_t n = 7;

        if (request_number(r, names[i], 1000, &n)) {
            fuzz_check(n <= 1000, "a number is out of its range");
        } else {
            fuzz_check(n == 7, "a bad number was written");
        }
    }
    if (request_deadline(r, &ns)) {
        fuzz_check(ns >= -1, "a time out of range"); /* the server caps it */
    }
}

/* How many requests there are, in pieces of so many bytes. */
static unsigned read_all(const struct options *o, const char *data, size_t n,
                         size_t piece, struct seen *seen)
{
    unsigned count = 0;

    while (n > 0 && count < REQUESTS) {
        struct request r;

        request_init(&r, o);
        while (n > 0 && !r.complete && r.refused == 0) {
            size_t some = n < piece ? n : piece;
            size_t used = request_feed(&r, data, some);

            fuzz_check(used <= some, "more was read than was there");
            fuzz_check(used > 0 || r.complete || r.refused != 0,
                       "nothing was read, and nothing is wrong");
            fuzz_check(r.body_size <= o->body_max, "a body is too long");
            data += used;
            n -= used;
        }
        look(&r, &seen[count++]);
        if (!r.complete) {
            break;
        }
        ask(&r);
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t header_max[] = {64, 256, 4096, 8192};
    static struct seen whole[REQUESTS], parts[REQUESTS];
    struct options o = {0};
    unsigned n;

    if (size < 3) {
        return 0;
    }
    o.header_max = header_max[data[0] % 4];
    o.body_max = data[0] >> 2;
    n = read_all(&o, (const char *)data + 2, size - 2, SIZE_MAX, whole);
    fuzz_check(n == read_all(&o, (const char *)data + 2, size - 2,
                             1 + data[1] % 32u, parts),
               "in pieces there is another number of requests");
    for (unsigned i = 0; i < n; i++) {
        fuzz_check(whole[i].complete == parts[i].complete &&
                       (whole[i].refused != 0) == (parts[i].refused != 0) &&
                       whole[i].keeps_alive == parts[i].keeps_alive &&
                       whole[i].has_query == parts[i].has_query &&
                       whole[i].body_size == parts[i].body_size &&
                       whole[i].body_hash == parts[i].body_hash &&
                       strcmp(whole[i].target, parts[i].target) == 0 &&
                       strcmp(whole[i].deadline, parts[i].deadline) == 0,
                   "in pieces it is another request");
    }
    return 0;
}
