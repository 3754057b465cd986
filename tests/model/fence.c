/*
 * fence.c - fences, and the asymmetric barrier.
 *
 * WHAT    What a fence does to the views of memory.c.
 * MODEL   acquire  takes over what the thread's relaxed loads have read
 *         release  is what its later relaxed stores carry
 *         full     both, and an exchange with e.sc: there is one order of all
 *                  full fences, and the later one knows all that the earlier
 *                  one knew. That is coherence only, not happens-before.
 *         heavy    a full fence of every thread, each at a point of its own
 *                  during the call, as membarrier(2) interrupts them
 */
#include "engine.h"

static void fence_thread(struct thread *t, int order)
{
    if ((order & ACQUIRE) != 0) {
        memory_join(&t->cur, &t->acquire, e.width);
    }
    if ((order & 4) != 0) {
        for (uint32_t i = THREADS; i < e.width; i++) {
            uint32_t a = t->cur.at[i], b = e.sc.at[i];

            t->cur.at[i] = e.sc.at[i] = a > b ? a : b;
        }
    }
    if ((order & RELEASE) != 0) {
        memory_copy(&t->release, &t->cur, e.width);
    }
    t->cur.at[thread_index(t)]++;
}

void model_fence(const char *file, int line, int order)
{
    /* Only full fences meet other threads at once. */
    if (order == SEQ_CST) {
        thread_point(file);
        sleep_fence(true);
    }
    fence_thread(e.me, order);
    if (e.tracing) {
        trace(file, line, "fence  %s", order_name(order));
    }
}

/* The kernel interrupts each other thread at some point during the call. */
void model_barrier(const char *file, int line, bool heavy)
{
    struct thread *self = e.me;

    e.barriers = true;
    if (!barrier_asymmetric) {
        model_fence(file, line, SEQ_CST);
        return;
    }
    if (!heavy) {
        return;
    }
    model_fence(file, line, SEQ_CST);
    for (unsigned i = 1; i < e.count && !e.alone; i++) {
        if (&e.threads[i] != self) {
            thread_point(file);
            sleep_touch_all();
            fence_thread(&e.threads[i], SEQ_CST);
            trace(file, line, "barrier reaches T%u", i - 1);
        }
    }
    model_fence(file, line, SEQ_CST);
}
