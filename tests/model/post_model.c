/*
 * post_model.c - the real post.c: signal handlers post, the watch hands on,
 * and the runtime is stopped meanwhile.
 *
 * Would catch: a post whose task does not see what the handler wrote (R61); a
 * slot that is filled again while the watch yet reads it; a post that was
 * accepted, and that the end of the runtime does not wait for.
 *
 * A handler is a thread here: it waits for nobody.
 */
// MODEL-SOURCES: sched/post.c
#include "group.h"
#include "model.h"
#include "outside.h"
#include <errno.h>

static struct roost_runtime pub;
static roost_group background;
static int noted[3];        /* by handler i, before it posts */
static int made;            /* tasks that the watch has made */
static a32 through;         /* handlers that are */
static unsigned runs;       /* posts that ran: outside the model */
static int accepted[2];     /* what the calls said: likewise */
static int seen_by_stopper; /* of what the watch has made: likewise */

/* errno of each thread. */
int *__errno_location(void)
{
    static int own[4];

    return &own[model_self() + 1];
}

/* ---- what post.c calls --------------------------------------------------- */

bool registry_forked(void)
{
    return false;
}

struct runtime *runtime_self(void)
{
    return NULL;
}

void outside_add(struct runtime *rt)
{
    a64_add(&rt->outside, 1, RELAXED);
}

void watch_kick(struct runtime *rt)
{
    MODEL_CHECK(rt == &pub.rt);
}

struct task_desc *desc_new(roost_fn fn, const void *arg, size_t copy)
{
    struct task_desc *d = model_alloc(sizeof(*d));

    MODEL_CHECK(copy == 0);
    d->fn = fn;
    d->arg = (void *)(uintptr_t)arg;
    return d;
}

/* It runs at once. */
int desc_spawn(struct task_desc *d)
{
    MODEL_CHECK(d->scope == &background.scope);
    plain_write(made, plain_read(made) + 1);
    (void)d->fn(d->arg);
    model_free(d);
    return 0;
}

/* ---- the models ---------------------------------------------------------- */

static int task(void *arg)
{
    MODEL_CHECK(plain_read(*(int *)arg) == 42);
    runs++;
    return 0;
}

static void begin(void)
{
    memset(&pub, 0, sizeof(pub));
    pub.rt.background = &background;
    memset(noted, 0, sizeof(noted));
    noted[2] = 42;
    a32_init(&through, 0);
    made = 0;
    runs = 0;
    seen_by_stopper = 0;
    accepted[0] = accepted[1] = -1;
}

static void posts(unsigned i)
{
    plain_write(noted[i], 42);
    accepted[i] = roost_post_signal(&pub, task, &noted[i]);
    a32_add(&through, 1, RELEASE);
}

static void handler(void)
{
    posts(0);
}

static void other_handler(void)
{
    posts(1);
}

static void collector(unsigned handlers)
{
    for (;;) {
        bool last = a32_load(&through, ACQUIRE) == handlers;

        post_collect(&pub.rt);
        if (last) {
            return;
        }
        spin_pause();
    }
}

static void watch(void)
{
    collector(2);
}

static void both_ran(void)
{
    MODEL_CHECK(accepted[0] == 0 && accepted[1] == 0 && runs == 2);
    MODEL_CHECK(a64_load(&pub.rt.outside, RELAXED) == 2);
}

MODEL(two_post, .setup = begin, .threads = {handler, other_handler, watch},
      .check = both_ran);

/* Z4: the end begins. What was accepted it waits for. */
static void stopper(void)
{
    a32_store(&pub.rt.shut, 1, RELAXED);
    fence_full();
    while (post_pending(&pub.rt)) {
        spin_pause();
    }
    seen_by_stopper = plain_read(made);
}

static void one_watch(void)
{
    collector(1);
}

static void ran_or_refused(void)
{
    MODEL_CHECK(accepted[0] == 0 || accepted[0] == -ESHUTDOWN);
    MODEL_CHECK(seen_by_stopper == (accepted[0] == 0));
    MODEL_CHECK(runs == (unsigned)seen_by_stopper);
}

MODEL(one_posts_at_the_end, .setup = begin,
      .threads = {handler, one_watch, stopper}, .check = ran_or_refused,
      .preemptions = 3);

/* A slot that was read by the watch, taken by a handler that is refused, and
 * then by one that does not see the end yet. */
static void stops_and_posts(void)
{
    a32_store(&pub.rt.shut, 1, RELAXED);
    fence_full();
    (void)roost_post_signal(&pub, task, &noted[2]);
    a32_add(&through, 1, RELEASE);
}

static void posts_again(void)
{
    posts(0);
    posts(1);
}

static void until_three(void)
{
    collector(3);
}

static void nothing_pends(void)
{
    MODEL_CHECK(!post_pending(&pub.rt));
}

MODEL(slot_is_used_again, .setup = begin,
      .threads = {posts_again, until_three, stops_and_posts},
      .check = nothing_pends);
