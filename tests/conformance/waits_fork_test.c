/*
 * waits_fork_test.c - events, channels and their kin in a forked child: every
 * call is refused until a fresh run, which may use objects of its own. Would
 * catch a child that waits for ever for its parent's tasks, or wakes them.
 */
#include "forked.h"
#include "waits.h"

static void refused_waits(struct objects *o)
{
    void *value;
    long items[2];

    FOR_EACH_KIND(k)
    {
        CHECK_EQ(k->wait(o, ROOST_NEVER), -EINVAL);
        CHECK_EQ(k->wait(o, 0), -EINVAL);
    }
    CHECK_EQ(roost_oneshot_get(&o->oneshot, &value), -EINVAL);
    CHECK_EQ(roost_chan_recv_many(o->full, items, 2), -EINVAL);
    CHECK_EQ(roost_select(NULL, 0), -EINVAL);
}

static void refused_calls(struct objects *o)
{
    static roost_sem sem;

    CHECK_EQ(roost_event_init(&o->event), -EINVAL);
    CHECK_EQ(roost_event_set(&o->event), -EINVAL);
    CHECK_EQ(roost_event_clear(&o->event), -EINVAL);
    CHECK(!roost_event_is_set(&o->event));
    CHECK_EQ(roost_latch_init(&o->latch, 1), -EINVAL);
    CHECK_EQ(roost_latch_up(&o->latch, 1), -EINVAL);
    CHECK_EQ(roost_latch_down(&o->latch), -EINVAL);
    CHECK_EQ(roost_barrier_init(&o->barrier, 1), -EINVAL);
    CHECK_EQ(roost_barrier_abort(&o->barrier), -EINVAL);
    CHECK_EQ(roost_oneshot_init(&o->oneshot), -EINVAL);
    CHECK_EQ(roost_oneshot_set(&o->oneshot, o), -EINVAL);
    CHECK_EQ(roost_broadcast_send(o->broadcast, &o->item), -EINVAL);
    CHECK_EQ(roost_broadcast_close(o->broadcast), -EINVAL);
    CHECK_EQ(roost_subscriber_init(&o->subscriber, o->broadcast), -EINVAL);
    CHECK_EQ(roost_watch_set(o->watch, &o->item), -EINVAL);
    CHECK_EQ(roost_watch_get(o->watch, &o->got, NULL), -EINVAL);
    CHECK_EQ(roost_watch_close(o->watch), -EINVAL);
    CHECK_EQ(roost_chan_try_send(o->empty, &o->item), -EINVAL);
    CHECK_EQ(roost_chan_try_recv(o->full, &o->got), -EINVAL);
    CHECK_EQ(roost_chan_hold(o->empty), -EINVAL);
    CHECK_EQ(roost_chan_fd(o->empty), -EINVAL);
    CHECK_EQ(roost_try_select(o->cases, 2), -EINVAL);
    CHECK_EQ(roost_sem_init(&sem, 1, 1), -EINVAL);
    CHECK_EQ(roost_sem_try_acquire(&sem, 0), -EINVAL);
    CHECK_EQ(roost_sem_release(&sem, 0), -EINVAL);
    CHECK(roost_broadcast_new(8, 8) == NULL);
    CHECK(roost_watch_new(0, NULL) == NULL);
    CHECK(roost_chan_new(8, 8) == NULL);
    CHECK(roost_chan_new_opts(8, 8, NULL) == NULL);
}

/* What returns nothing does nothing: also what would be misuse. */
static void ignored_calls(struct objects *o)
{
    roost_chan_info info = {.length = 77};

    roost_chan_release(o->empty);
    roost_chan_close(o->empty);
    roost_chan_discard(o->full);
    roost_chan_stats(o->full, &info);
    CHECK_EQ(info.length, 77);
    objects_destroy(o);
}

TEST(every_call_in_a_forked_task_is_refused, "R64")
{
    struct objects o;
    long got = 0;
    pid_t pid;

    objects_init(&o);
    pid = fork();
    if (pid == 0) {
        refused_waits(&o);
        refused_calls(&o);
        ignored_calls(&o);
        end_child();
    }
    CHECK_EQ(reap(pid), 0);
    CHECK_EQ(roost_chan_recv(o.full, &got), 0); /* the parent is unharmed */
    CHECK_EQ(got, 7);
    CHECK_EQ(roost_chan_send(o.empty, &got), 0);
    objects_destroy(&o);
}

/* Somebody waits when the process is forked: destroying is ignored, not
 * misuse, for nobody waits in the child. */
TEST(nobody_waits_in_the_child, "R64")
{
    FOR_EACH_KIND(k)
    {
        struct wait w;
        roost_scope s;
        pid_t pid;

        wait_init(&w, k);
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, wait_once, &w), 0);
        CHECK_EQ(roost_settle(), 0);
        pid = fork();
        if (pid == 0) {
            ignored_calls(&w.o);
            end_child();
        }
        CHECK_EQ(reap(pid), 0);
        CHECK_EQ(w.ended, 0);
        k->wake(&w.o);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(w.rc, k->done);
        objects_destroy(&w.o);
    }
}

static int wait_for_a_permit(void *sem)
{
    return roost_sem_acquire((roost_sem *)sem, 1);
}

TEST(nobody_waits_for_a_permit_in_the_child, "R64")
{
    roost_sem sem;
    roost_scope s;
    pid_t pid;

    CHECK_EQ(roost_sem_init(&sem, 0, 1), 0);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, wait_for_a_permit, &sem), 0);
    CHECK_EQ(roost_settle(), 0);
    pid = fork();
    if (pid == 0) {
        roost_sem_destroy(&sem);
        end_child();
    }
    CHECK_EQ(reap(pid), 0);
    CHECK_EQ(roost_sem_release(&sem, 1), 0); /* the parent is unharmed */
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_sem_destroy(&sem);
}

static int all_anew(void *arg)
{
    (void)arg;
    FOR_EACH_KIND(k)
    {
        struct wait w;
        roost_scope s;

        wait_init(&w, k);
        roost_scope_open(&s, NULL);
        CHECK_EQ(roost_spawn(&s, wait_once, &w), 0);
        CHECK_EQ(roost_settle(), 0);
        k->wake(&w.o);
        CHECK_EQ(roost_scope_close(&s, 0), 0);
        CHECK_EQ(w.rc, k->done);
        objects_destroy(&w.o);
    }
    return 0;
}

TEST(a_fresh_run_in_the_child_has_objects_of_its_own, "R64")
{
    pid_t pid = fork();

    if (pid == 0) {
        roost_opts opts = test_opts();

        CHECK_EQ(roost_run(all_anew, NULL, &opts), 0);
        end_child();
    }
    CHECK_EQ(reap(pid), 0);
}

/* A plain thread's child, whose parent has used objects. */
TEST_PLAIN(a_child_of_a_thread_has_objects_of_its_own, "R64")
{
    roost_opts opts = test_opts();
    roost_runtime *rt;
    struct objects o;
    pid_t pid;

    objects_init(&o);
    CHECK_EQ(roost_start(&rt, &opts), 0);
    pid = fork();
    if (pid == 0) {
        refused_waits(&o);
        CHECK_EQ(roost_run(all_anew, NULL, &opts), 0);
        end_child();
    }
    CHECK_EQ(reap(pid), 0);
    CHECK_EQ(roost_stop(rt), 0);
    roost_runtime_free(rt);
    objects_destroy(&o);
}

/* ---- the parent's threads are not the child's ---- */

struct thread {
    roost_event used;
    sem_t over;
};

static void *use_and_stay(void *arg)
{
    struct thread *t = (struct thread *)arg;

    CHECK_EQ(roost_event_set(&t->used), 0);
    sem_wait(&t->over);
    return NULL;
}

/* A thread of the parent that has used objects might have woken a task: there
 * is none such in the child, where a run that stands still says so. */
static void stand_still_in_a_child(void)
{
    struct capture c;
    struct wait w;
    pid_t pid;

    wait_init(&w, kinds);
    pid = fork();
    if (pid == 0) {
        roost_opts opts = test_opts();

        alarm(20);
        capture_begin(&c);
        CHECK_EQ(roost_run(wait_once, &w, &opts), -EDEADLK);
        (void)capture_end(&c);
        end_child();
    }
    CHECK_EQ(reap(pid), 0);
    objects_destroy(&w.o);
}

TEST_PLAIN(a_childs_deadlock_is_reported, "R63 R64")
{
    struct thread t = {.used = ROOST_EVENT_INIT};
    pthread_t thread;

    sem_init(&t.over, 0, 0);
    CHECK_EQ(pthread_create(&thread, NULL, use_and_stay, &t), 0);
    CHECK_EQ(roost_event_wait(&t.used), 0);
    stand_still_in_a_child();
    sem_post(&t.over);
    pthread_join(thread, NULL);
    stand_still_in_a_child(); /* and where that thread has ended */
    sem_destroy(&t.over);
    roost_event_destroy(&t.used);
}
