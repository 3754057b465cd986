/*
 * running.c - the names of tasks that run, as another thread sees them.
 *
 * WHAT    A task that computes and has never waited stands in no tree (dump.c).
 *         But its worker, or in a blocking region its thread, knows its frame,
 *         and that its descriptor.
 * MODEL   Frame and descriptor are the task's own: on its stack, and in memory
 *         that goes back to the allocator when it ends, which may be now. So
 *         they are read as roost-ps reads them, by the kernel
 *         (process_vm_readv(2), of this process), which fails where a load
 *         would crash; and what was read counts only if the same frame still
 *         runs after. Of a task that goes on, the name is right; one that ended
 *         meanwhile may lend its name to who came in its place.
 *           Outward from it: who opened the scope that it was spawned into. One
 *         that has never waited either runs it in place, and is named with it;
 *         one that has waited stands in the tree, and so do all outside it.
 * COST    Nothing to who runs; some three system calls a name.
 * REJECTED  Linking each task with a name into the tree at its start: a lock.
 *         A signal that asks the thread: a call that blocks in it would end.
 */
#include "observe/running.h"

#include "worker.h"
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

#define LEVELS 64 /* so far outward it is looked, at the most */

static bool peek(void *to, const void *from, size_t size)
{
    struct iovec local = {to, size};
    struct iovec remote = {(void *)(uintptr_t)from, size};

    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) ==
           (ssize_t)size;
}

/* What a frame begins with. */
struct start {
    struct scope *scope;
    struct env *env;
    struct scope *target;
    uint32_t marks;
    uint32_t linked;
};

_Static_assert(sizeof(struct start) == offsetof(struct frame, epoch) &&
                   offsetof(struct start, marks) ==
                       offsetof(struct frame, marks) &&
                   offsetof(struct start, linked) ==
                       offsetof(struct frame, linked),
               "as task.h has it");

/* "" without one. False: nothing is to be had of it. */
static bool name_of(const struct frame *f, const struct start *s,
                    char name[TASK_NAME_SIZE])
{
    struct task_desc *d;
    size_t i;

    name[0] = '\0';
    if (!(s->marks & F_DESC)) {
        return true;
    }
    if (!peek(&d, &f->desc, sizeof(d)) ||
        !peek(name, d->name, TASK_NAME_SIZE)) {
        return false;
    }
    name[TASK_NAME_SIZE - 1] = '\0';
    for (i = 0; name[i] != '\0'; i++) {
        if ((unsigned char)name[i] < ' ') { /* memory of something else */
            name[i] = '?';
        }
    }
    return true;
}

/* Who runs it in place, as far as they have names. */
static void add_outer(const struct start *inner, char *text, size_t room)
{
    struct start s = *inner;
    char name[TASK_NAME_SIZE];
    struct frame *f;
    unsigned i;

    for (i = 0; i < LEVELS && room > 1; i++) {
        int n;

        if (!peek(&f, &s.target->owner, sizeof(f)) || f == NULL ||
            !peek(&s, f, sizeof(s)) || (s.linked & LINK_FOUND) ||
            !name_of(f, &s, name)) {
            return;
        }
        n = *name == '\0' ? 0 : snprintf(text, room, " in %s", name);
        n = n < (int)room ? n : (int)room - 1;
        text += n;
        room -= (size_t)n;
    }
}

bool running_text(struct frame *const *at, char text[RUNNING_TEXT])
{
    char name[TASK_NAME_SIZE];
    struct frame *f, *again;
    struct start s;
    int n;

    if (!peek(&f, at, sizeof(f)) || f == NULL || !peek(&s, f, sizeof(s)) ||
        !name_of(f, &s, name)) {
        return false;
    }
    if (s.marks & F_HOOK) {
        snprintf(text, RUNNING_TEXT, "a hook");
    } else {
        n = snprintf(text, RUNNING_TEXT, "%s",
                     *name == '\0' ? "(unnamed)" : name);
        add_outer(&s, text + n, RUNNING_TEXT - (size_t)n);
    }
    return peek(&again, at, sizeof(again)) && again == f;
}

bool running_in_region(const struct carrier *c)
{
    struct carrier *carries;
    struct worker *w;

    return peek(&w, &c->worker, sizeof(w)) && w != NULL &&
           peek(&carries, &w->carrier, sizeof(carries)) && carries != c;
}
