/*
 * error.c - failures as trees: collecting them and walking.
 *
 * WHAT    A scope's failures in order of completion; a nested scope's failures
 *         are one node, so that a tree keeps the shape of the scopes.
 * MODEL   error_tree.h has the picture. What a task has kept (a message's leaf,
 *         a group) becomes a node as it is: appending it needs no memory. A
 *         bare status needs a leaf; each group carries one within it, and
 *         groups themselves come from a static reserve when there is no memory.
 *         So the first failure of a group is never lost.
 * INVARIANTS
 *         A root has neither parent nor next. No function calls itself: a tree
 *         may be 100,000 deep, a task's stack 64 KiB (error_test.c).
 *         A tree has one owner at a time; only the reserve is shared.
 *         node.status of a group is its first failure's (error_group_append,
 *         settle_statuses).
 * ORDER
 *   RV1 reserve_put: bit cleared, release -> reserve_take: bit set, acquire
 *       the last owner of a reserved group has done with it; without it the
 *       next one's writes may be overwritten by the last one's
 * COST    append: a store or ten, an allocation for a bare status that is not
 *         its group's first. walk: a few ns a node, whatever the depth.
 * REJECTED  A vector of nodes a group: growing it fails in the middle, and a
 *         nested group would need a copy. Recursion: see INVARIANTS.
 * SEE     R36-R41 in the rules; error.h for who calls what.
 */
#include "error.h"

#include "base/alloc.h"
#include "base/atomic.h"
#include "error_tree.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#define MESSAGE_MAX 4095
#define KEPT_MAX 256 /* nodes at one level: R37 */
#define RESERVED 64  /* groups; bits of one a64 */

static struct error_group reserve[RESERVED]; /* T(RV1) */
static a64 reserve_taken;                    /* M: a bit a group */

void error_name_copy(char *to, const char *from)
{
    size_t size = from != NULL ? strnlen(from, ERROR_NAME_BYTES - 1) : 0;

    if (size > 0) {
        memcpy(to, from, size);
    }
    to[size] = '\0';
}

roost_errors *error_step(const roost_errors *n, unsigned *depth)
{
    if (error_is_group(n) && error_group_in(n)->first != NULL) {
        (*depth)++;
        return error_group_in(n)->first;
    }
    while (n->next == NULL) {
        n = n->parent;
        if (n == NULL) {
            return NULL;
        }
        (*depth)--;
    }
    return n->next;
}

static struct error_group *reserve_take(void)
{
    uint64_t taken = a64_load(&reserve_taken, RELAXED);

    while (~taken != 0) {
        unsigned i = (unsigned)__builtin_ctzll(~taken);

        if (a64_cas(&reserve_taken, &taken, taken | (UINT64_C(1) << i),
                    ACQUIRE /* RV1 */, RELAXED)) {
            return &reserve[i];
        }
    }
    return NULL;
}

static void reserve_put(struct error_group *g)
{
    uint64_t bit = UINT64_C(1) << (g - reserve);

    (void)a64_and(&reserve_taken, ~bit, RELEASE /* RV1 */);
}

void error_group_init(struct error_group *g, unsigned flags, const char *scope)
{
    memset(g, 0, sizeof(*g));
    g->node.flags = ERROR_GROUP | flags;
    g->node.message = "";
    g->inside.flags = ERROR_INSIDE;
    error_name_copy(g->scope, scope);
}

roost_errors *errors_new(const char *scope_name)
{
    struct error_group *g = alloc_bytes(sizeof(*g));
    unsigned flags = 0;

    if (g == NULL) {
        g = reserve_take();
        flags = ERROR_RESERVE;
    }
    if (g == NULL) {
        return NULL;
    }
    error_group_init(g, flags, scope_name);
    return &g->node;
}

void error_leaf_init(roost_errors *leaf, int status, const char *task)
{
    unsigned inside = leaf->flags & ERROR_INSIDE;

    memset(leaf, 0, sizeof(*leaf));
    leaf->flags = inside;
    leaf->status = status;
    leaf->message = "";
    error_name_copy(leaf->task, task);
}

/* A leaf with room for a message of so many bytes, the final 0 included. */
static roost_errors *new_leaf(int status, const char *task, size_t room)
{
    roost_errors *leaf = alloc_bytes(sizeof(*leaf) + room);

    if (leaf != NULL) {
        leaf->flags = 0;
        error_leaf_init(leaf, status, task);
        if (room > 0) {
            leaf->message = (char *)(leaf + 1);
        }
    }
    return leaf;
}

roost_errors *errors_message(int status, const char *message, const char *task)
{
    size_t size = message != NULL ? strnlen(message, MESSAGE_MAX) : 0;
    roost_errors *leaf = new_leaf(status, task, size + 1);

    if (leaf != NULL) {
        char *to = (char *)(leaf + 1);

        if (size > 0) {
            memcpy(to, message, size);
        }
        to[size] = '\0';
    }
    return leaf;
}

void error_group_append(struct error_group *g, roost_errors *n)
{
    n->parent = &g->node;
    n->next = NULL;
    if (g->first == NULL) {
        g->first = n;
        g->node.status = n->status;
    } else {
        g->last->next = n;
    }
    g->last = n;
    g->kept++;
}

static roost_errors *bare_leaf(struct error_group *g, const struct failure *f)
{
    if (g->inside.message == NULL) {
        error_leaf_init(&g->inside, f->status, f->task);
        return &g->inside;
    }
    return new_leaf(f->status, f->task, 0);
}

static void drop(struct error_group *g, roost_errors *kept, int status)
{
    if (g->dropped == 0) {
        g->dropped_status = status;
    }
    g->dropped += kept != NULL ? roost_errors_count(kept, 0) : 1;
    roost_errors_free(kept);
}

void errors_append(roost_errors *group, const struct failure *f)
{
    struct error_group *g = error_group_of(group);
    roost_errors *n = f->kept;

    if (n != NULL && n->status != f->status) {
        roost_errors_free(n);
        n = NULL;
    }
    if (g == NULL) {
        roost_errors_free(n);
        return;
    }
    if (g->kept >= KEPT_MAX) {
        drop(g, n, f->status);
        return;
    }
    if (n == NULL) {
        n = bare_leaf(g, f);
    }
    if (n == NULL) {
        drop(g, NULL, f->status);
        return;
    }
    if (n->task[0] == '\0' || error_is_group(n)) {
        error_name_copy(n->task, f->task);
    }
    error_group_append(g, n);
}

int errors_status(const roost_errors *e)
{
    return e->status;
}

static void keep(roost_errors **slot, roost_errors *e)
{
    roost_errors *old = *slot;

    *slot = e;
    if (old != e) {
        roost_errors_free(old);
    }
}

int roost_fail(int status, const char *fmt, ...)
{
    roost_errors **slot = task_kept();
    roost_errors *leaf = NULL;
    va_list args;
    int size = 0;

    if (slot == NULL) {
        return status;
    }
    if (fmt != NULL && status < 0) {
        va_start(args, fmt);
        size = vsnprintf(NULL, 0, fmt, args);
        va_end(args);
        size = size < 0 ? 0 : size > MESSAGE_MAX ? MESSAGE_MAX : size;
    }
    if (status < 0) {
        leaf = new_leaf(status, task_name_current(), (size_t)size + 1);
    }
    if (leaf != NULL) {
        char *to = (char *)(leaf + 1);

        to[0] = '\0';
        if (size > 0) {
            va_start(args, fmt);
            (void)vsnprintf(to, (size_t)size + 1, fmt, args);
            va_end(args);
        }
    }
    keep(slot, leaf);
    return status;
}

roost_errors *roost_errors_take(void)
{
    roost_errors **slot = task_kept();
    roost_errors *e = NULL;

    if (slot != NULL) {
        e = *slot;
        *slot = NULL;
    }
    return e;
}

int roost_errors_raise(roost_errors *e)
{
    roost_errors **slot = task_kept();
    int status;

    if (e == NULL) {
        return 0;
    }
    status = e->status;
    if (slot != NULL) {
        keep(slot, e);
    } else {
        roost_errors_free(e);
    }
    return status;
}

static void free_node(roost_errors *n)
{
    if ((n->flags & ERROR_RESERVE) != 0) {
        reserve_put(error_group_of(n));
    } else if ((n->flags & ERROR_INSIDE) == 0) {
        alloc_free(n);
    }
}

/* Always the first child that is left, and a group once it has none. */
void roost_errors_free(roost_errors *e)
{
    while (e != NULL) {
        roost_errors *next =
            error_is_group(e) ? error_group_of(e)->first : NULL;

        if (next != NULL) {
            error_group_of(e)->first = next->next;
        } else {
            next = e->parent;
            free_node(e);
        }
        e = next;
    }
}

size_t roost_errors_count(const roost_errors *e, int status)
{
    size_t count = 0;
    unsigned depth = 0;

    for (; e != NULL; e = error_step(e, &depth)) {
        if (!error_is_group(e)) {
            count += status == 0 || e->status == status;
        } else if (status == 0) {
            count += error_group_in(e)->dropped;
        }
    }
    return count;
}

void error_show(const roost_errors *leaf, unsigned depth, roost_error *it)
{
    const roost_errors *parent = leaf->parent;

    it->status = leaf->status;
    it->message = leaf->message;
    it->task = leaf->task;
    it->scope = parent != NULL ? error_group_in(parent)->scope : "";
    it->depth = depth > 0 ? depth - 1 : 0;
}

/* cursor_[0] is the leaf shown last, cursor_[1] how many groups it is in. */
bool roost_errors_next(const roost_errors *e, roost_error *it)
{
    const roost_errors *n = e;
    unsigned depth = 0;

    if (e == NULL || it == NULL) {
        return false;
    }
    if (it->cursor_[0] != NULL) {
        depth = (unsigned)(uintptr_t)it->cursor_[1];
        n = error_step(it->cursor_[0], &depth);
    }
    while (n != NULL && error_is_group(n)) {
        n = error_step(n, &depth);
    }
    it->cursor_[0] = (void *)(uintptr_t)n;
    it->cursor_[1] = (void *)(uintptr_t)depth;
    if (n == NULL) {
        return false;
    }
    error_show(n, depth, it);
    return true;
}
