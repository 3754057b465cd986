/*
 * held.c - what a task or a plain thread holds, and who it is.
 *
 * WHAT    An object that belongs to whoever took it (a mutex, a token) puts a
 *         record into its holder's list; if the holder ends with it, the object
 *         is told.
 * MODEL   A task's identity is its frame, also when it runs in place on its
 *         parent's stack; a plain thread's is a thread-local record. Only the
 *         holder itself touches its list.
 * COST    Taking and giving back: 4 stores each.
 */
#include "base/check.h"
#include "plain.h"
#include "runtime.h"
#include "worker.h"

static struct list *own_list(void)
{
    struct frame *f = frame_current();
    struct plain *p;

    if (f != NULL) {
        if (!(f->marks & F_HELD)) {
            list_init(&f->held);
            f->marks |= F_HELD;
        }
        return &f->held;
    }
    p = plain_self();
    if (p->held.next == NULL) {
        list_init(&p->held);
    }
    return &p->held;
}

const void *wait_self(void)
{
    struct frame *f = frame_current();

    return f != NULL ? (const void *)f : (const void *)plain_self();
}

void held_add(struct held *h)
{
    list_push_back(own_list(), &h->link);
}

void held_remove(struct held *h)
{
    list_remove(&h->link);
}

struct held *held_find(const void *object)
{
    struct list *head = own_list();
    struct list *at;

    for (at = head->next; at != head; at = at->next) {
        struct held *h = container_of(at, struct held, link);

        if (h->object == object) {
            return h;
        }
    }
    return NULL;
}

void held_abandon(struct list *held)
{
    struct list *link;

    while ((link = list_pop_front(held)) != NULL) {
        struct held *h = container_of(link, struct held, link);

        h->abandon(h);
    }
}
