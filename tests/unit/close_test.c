/*
 * close_test.c - sched/close.c: what a close waits for and leaves behind, whose
 * failure cancels what, and what the task keeps of it. One worker.
 *
 * Would catch: a close that takes the quick way though something hangs on its
 * scope; a failure that cancels nobody, or overwrites the first; a lock that is
 * given up though it was not taken; a mark of join that stays; a wait that was
 * taken back and is still announced; a reason cut off or of another scope.
 */
#include "../test.h"

#include "count.h"
#include "runtime.h"
#include "scope.h"
#include "worker.h"
#include <errno.h>

/* --- what close.c calls --- */

/* Its pin or child is gone when it is announced, on the case's own thread. */
static _Thread_local struct scope *ends_when_announced;
static struct scope *errors_of; /* meanwhile another one made them */
static roost_errors *made_meanwhile;
static bool swings_then; /* and it has swung */

void __real_scope_lock(struct scope *s);
void __wrap_scope_lock(struct scope *s);
void __real_scope_unlock(struct scope *s);
void __wrap_scope_unlock(struct scope *s);
struct waiter *__real_wait_begin(const char *what, const void *object,
                                 uint32_t flags);
struct waiter *__wrap_wait_begin(const char *what, const void *object,
                                 uint32_t flags);
roost_errors *__real_errors_new(const char *scope);
roost_errors *__wrap_errors_new(const char *scope);

void __wrap_scope_lock(struct scope *s)
{
    __real_scope_lock(s);
}

void __wrap_scope_unlock(struct scope *s)
{
    CHECK(scope_flags(s) & S_LOCK);
    __real_scope_unlock(s);
}

struct waiter *__wrap_wait_begin(const char *what, const void *object,
                                 uint32_t flags)
{
    struct waiter *wt = __real_wait_begin(what, object, flags);

    if (object != NULL && object == ends_when_announced) {
        ends_when_announced = NULL;
        if (a64_load(&((struct scope *)(uintptr_t)object)->count, RELAXED) ==
            COUNT_CHILD) {
            task_uncount((struct scope *)(uintptr_t)object, 1);
        } else {
            scope_unpin((struct scope *)(uintptr_t)object);
        }
    }
    return wt;
}

roost_errors *__wrap_errors_new(const char *scope)
{
    roost_errors *made = __real_errors_new(scope);

    if (errors_of != NULL) {
        errors_of->errors = made_meanwhile = __real_errors_new("meanwhile");
        a32_or(&errors_of->flags, swings_then ? S_FORWARD : 0, RELAXED);
        errors_of = NULL;
    }
    return made;
}

static void alone(roost_fn fn)
{
    roost_opts opts = {.workers = 1};

    CHECK_EQ(roost_run(fn, NULL, &opts), 0);
}

static uint32_t flags_of(roost_scope *s)
{
    return scope_flags(scope_of(s));
}

static uint32_t marks(void)
{
    return frame_current()->marks;
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int deferred(void *arg)
{
    (void)arg;
    return 0;
}

static void no_call(void *arg)
{
    (void)arg;
}

/* --- waiting --- */

static int end_as_it_is_announced(void *arg)
{
    struct frame *f = frame_current();
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    count_add(&scope_of(&s)->count, COUNT_PIN);
    ends_when_announced = scope_of(&s);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(ends_when_announced == NULL);
    CHECK_EQ(a32_load(&f->waiter.state, RELAXED), WAIT_IDLE);
    /* In join it is children that count: none. */
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_hold(&s), 0);
    CHECK_EQ(roost_scope_join(&s), 0);
    roost_scope_release(&s);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(a32_load(&f->waiter.state, RELAXED), WAIT_IDLE);
    return 0;
}

TEST_PLAIN(a_wait_that_is_not_needed_is_taken_back, "R26")
{
    alone(end_as_it_is_announced);
}

/* For an hour, with its timer. */
static void open_timed(roost_scope *s, const char *name)
{
    roost_scope_opts opts = {.timeout = 3600 * ROOST_S, .name = name};

    roost_scope_open(s, &opts);
    deadline_arm_chain(scope_of(s)); /* as a wait in it does */
    CHECK(flags_of(s) & S_ARMED);
    CHECK(list_linked(&scope_of(s)->timer.link));
}

static void close_timed(roost_scope *s, int body, int status, bool quick)
{
    struct scope *outer = scope_of(s)->outer;

    CHECK_EQ(roost_scope_close(s, body), status);
    CHECK_EQ(!(flags_of(s) & S_CLOSED), quick);
    CHECK(!(flags_of(s) & S_LOCK));
    CHECK(!list_linked(&scope_of(s)->timer.link));
    CHECK(scope_of(s)->owner == NULL);
    CHECK(frame_current()->scope == outer);
}

static int close_each_way(void *arg)
{
    roost_hook hook;
    roost_scope s;

    (void)arg;
    open_timed(&s, NULL);
    close_timed(&s, 0, 0, true);
    open_timed(&s, NULL);
    close_timed(&s, 7, 0, true);
    open_timed(&s, NULL);
    close_timed(&s, -EIO, -EIO, false);
    roost_errors_free(roost_errors_take());
    open_timed(&s, "it");
    close_timed(&s, 0, 0, false);
    open_timed(&s, NULL);
    roost_scope_defer(&s, &hook, deferred, NULL);
    close_timed(&s, 0, 0, false);
    open_timed(&s, NULL);
    CHECK_EQ(roost_scope_on_cancel(&s, &hook, no_call, NULL), 0);
    close_timed(&s, 0, 0, false);
    open_timed(&s, NULL);
    CHECK(roost_scope_cancel(&s, 0));
    close_timed(&s, 0, 0, false);
    open_timed(&s, NULL);
    CHECK_EQ(roost_spawn(&s, nothing, NULL), 0);
    close_timed(&s, 0, 0, false);
    open_timed(&s, NULL);
    count_add(&scope_of(&s)->count, COUNT_PIN);
    ends_when_announced = scope_of(&s);
    close_timed(&s, 0, 0, false);
    return 0;
}

TEST_PLAIN(only_what_has_nothing_but_a_deadline_closes_quickly, "R15 R26")
{
    alone(close_each_way);
}

static int wait_for_ever(void *arg)
{
    *(int *)arg = roost_sleep(3600 * ROOST_S);
    return 0;
}

static int wait_a_little(void *arg)
{
    (void)arg;
    return roost_sleep(1000);
}

/* What hung on it is gone, or the next one there would find it. */
static int leave_nothing(void *arg)
{
    const roost_task_opts service = {.flags = ROOST_SERVICE};
    struct frame *f = frame_current();
    int rc = 1;
    roost_hook hook;
    roost_scope pub;
    struct scope *s = scope_of(&pub);

    (void)arg;
    roost_scope_open(&pub, NULL);
    CHECK_EQ(roost_spawn(&pub, wait_a_little, NULL), 0);
    CHECK_EQ(roost_spawn_opts(&pub, wait_for_ever, &rc, &service), 0);
    CHECK_EQ(roost_scope_on_cancel(&pub, &hook, no_call, NULL), 0);
    CHECK_EQ(roost_scope_join(&pub), 0);
    CHECK(scope_flags(s) & S_ATTACHED);
    CHECK(f->scopes.next == &s->attach || f->scopes.prev == &s->attach);
    CHECK(scope_flags(s) & S_SERVICES);
    CHECK(s->hooks != NULL);
    CHECK_EQ(roost_scope_close(&pub, 0), 0);
    CHECK_EQ(rc, -ECANCELED);
    CHECK(list_empty(&f->scopes));
    CHECK(!(scope_flags(s) & S_SERVICES));
    CHECK(s->hooks == NULL && s->rare == NULL);
    /* Failures that are not told: somebody has won. */
    roost_scope_open(&pub, &(roost_scope_opts){.flags = ROOST_RACE});
    scope_record(s, -EIO, NULL, "it", ROOST_REASON_CHILD);
    scope_won(s, 7);
    CHECK(s->errors != NULL);
    CHECK_EQ(roost_scope_close(&pub, 0), 7);
    CHECK(s->errors == NULL);
    return 0;
}

TEST_PLAIN(nothing_of_a_closed_scope_is_left, "R26 R67")
{
    alone(leave_nothing);
}

/* --- failures --- */

struct fails {
    unsigned flags, reason;
    bool cancels;
};

static int record_each(void *arg)
{
    static const struct fails each[] = {
        {0, 0, false},
        {0, ROOST_REASON_CHILD, true},
        {0, ROOST_REASON_BODY, true},
        {ROOST_RACE, ROOST_REASON_CHILD, false},
        {ROOST_RACE, ROOST_REASON_BODY, true},
        {ROOST_SUPERVISE, ROOST_REASON_BODY, true},
    };

    (void)arg;
    for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
        roost_scope_opts opts = {.flags = each[i].flags};
        roost_scope pub;
        struct scope *s = scope_of(&pub);

        roost_scope_open(&pub, &opts);
        scope_record(s, -EIO, NULL, "it", each[i].reason);
        CHECK(scope_flags(s) & S_FAILED);
        CHECK_EQ((scope_flags(s) & S_CANCELLED) != 0, each[i].cancels);
        CHECK_EQ(s->reason_kind, each[i].cancels ? each[i].reason : 0);
        CHECK_EQ(s->reason_status, each[i].cancels ? -EIO : 0);
        CHECK_STR(s->reason_task, each[i].cancels ? "it" : "");
        CHECK_EQ(s->fail_status, -EIO);
        scope_record(s, -EPIPE, NULL, "another", each[i].reason);
        CHECK_EQ(s->fail_status, -EIO); /* the first stays */
        CHECK_STR(s->reason_task, each[i].cancels ? "it" : "");
        CHECK_EQ(roost_scope_close(&pub, 0), -EIO);
        CHECK(marks() & F_KEPT);
        roost_errors_free(roost_errors_take());
    }
    return 0;
}

TEST_PLAIN(whose_failure_cancels, "R36 R37 R42")
{
    alone(record_each);
}

static int record_inward(void *arg)
{
    roost_scope_opts race = {.flags = ROOST_RACE};
    roost_scope outer, inner;

    (void)arg;
    roost_scope_open(&outer, NULL);
    roost_scope_open(&inner, NULL);
    a32_or(&scope_of(&inner)->flags, S_FORWARD, RELAXED);
    scope_record(scope_of(&inner), -EIO, NULL, "it", ROOST_REASON_CHILD);
    CHECK(!(flags_of(&inner) & (S_FAILED | S_CANCELLED)));
    CHECK(flags_of(&outer) & S_FAILED);
    CHECK(flags_of(&outer) & S_CANCELLED);
    scope_record(scope_of(&inner), -EPIPE, NULL, "it", ROOST_REASON_BODY);
    CHECK(flags_of(&inner) & S_FAILED);
    CHECK_EQ(scope_of(&outer)->fail_status, -EIO);
    CHECK_EQ(roost_scope_close(&inner, 0), -EPIPE);
    roost_errors_free(roost_errors_take());
    CHECK_EQ(roost_scope_close(&outer, 0), -EIO);
    roost_errors_free(roost_errors_take());
    /* And who has won. */
    roost_scope_open(&outer, &race);
    roost_scope_open(&inner, NULL);
    a32_or(&scope_of(&inner)->flags, S_FORWARD, RELAXED);
    scope_won(scope_of(&inner), 7);
    CHECK(!(flags_of(&inner) & (S_WON | S_CANCELLED)));
    CHECK(flags_of(&outer) & S_WON);
    CHECK(flags_of(&outer) & S_CANCELLED);
    CHECK_EQ(scope_of(&outer)->fail_status, 7);
    scope_won(scope_of(&outer), 8);
    scope_record(scope_of(&outer), -EIO, NULL, "it", ROOST_REASON_CHILD);
    CHECK_EQ(scope_of(&outer)->fail_status, 7);
    CHECK_EQ(scope_of(&outer)->reason_kind, ROOST_REASON_CHILD);
    CHECK_EQ(scope_of(&outer)->reason_status, 7);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 7);
    CHECK(!(marks() & F_KEPT)); /* it went well */
    return 0;
}

TEST_PLAIN(what_has_swung_passes_failures_and_wins_on, "R34 R36 R42")
{
    alone(record_inward);
}

static int record_at_once(void *arg)
{
    roost_scope s, inner;

    (void)arg;
    roost_scope_open(&s, NULL);
    errors_of = scope_of(&s);
    scope_full(scope_of(&s));
    scope_record(scope_of(&s), -EIO, NULL, "it", ROOST_REASON_BODY);
    CHECK(scope_of(&s)->errors == made_meanwhile);
    CHECK(errors_of == NULL);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    CHECK(frame_current()->kept == made_meanwhile);
    roost_errors_free(roost_errors_take());
    /* It swings just then: it is its target's. */
    roost_scope_open(&s, NULL);
    roost_scope_open(&inner, NULL);
    scope_full(scope_of(&inner));
    errors_of = scope_of(&inner);
    swings_then = true;
    scope_record(scope_of(&inner), -EIO, NULL, "it", ROOST_REASON_CHILD);
    swings_then = false;
    CHECK(!(flags_of(&inner) & S_FAILED));
    CHECK(flags_of(&s) & S_FAILED);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(roost_scope_close(&s, 0), -EIO);
    roost_errors_free(roost_errors_take());
    return 0;
}

TEST_PLAIN(two_that_fail_at_once_have_one_tree, "R37")
{
    alone(record_at_once);
}

/* --- what the task keeps --- */

static int keep_marks(void *arg)
{
    roost_scope_opts named = {.name = "it"};
    roost_scope_opts shield = {.flags = ROOST_SHIELD};
    roost_shield stretch;
    roost_scope outer, s;

    (void)arg;
    roost_scope_open(&s, &named);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(!(marks() & (F_CANCELLED | F_REASON | F_KEPT)));
    CHECK(!roost_cancelled());
    CHECK(marks() & F_EPOCH);
    roost_scope_open(&s, &named);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(marks() & F_EPOCH); /* it hides nothing */
    roost_scope_open(&s, &shield);
    CHECK(!roost_cancelled());
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(!(marks() & F_EPOCH));
    /* A stretch goes on outside of where it began. */
    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, &named);
    roost_shield_begin(&stretch);
    CHECK(frame_current()->shield == scope_of(&s));
    CHECK(!roost_cancelled());
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(frame_current()->shield == scope_of(&outer));
    CHECK(!(marks() & F_EPOCH));
    roost_shield_end(&stretch);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK(!(marks() & F_CANCELLED));
    /* Cancelled, and it shows. */
    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, &named);
    CHECK(roost_scope_cancel(&outer, 0));
    CHECK(roost_cancelled());
    CHECK_EQ(roost_scope_close(&s, 0), -ECANCELED);
    CHECK(marks() & F_CANCELLED);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    return 0;
}

TEST_PLAIN(what_a_task_remembers_of_what_it_closed, "R17 R24")
{
    alone(keep_marks);
}

static int keep_body(void *arg)
{
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    CHECK(roost_scope_cancel(&s, 0));
    CHECK_EQ(roost_scope_close(&s, -ECANCELED), 0); /* absorbed */
    CHECK(marks() & F_CANCELLED);
    CHECK(!(flags_of(&s) & S_FAILED));
    CHECK(flags_of(&s) & S_DELIVERED);
    roost_scope_open(&s, NULL); /* nobody has cancelled: a failure as any */
    CHECK_EQ(roost_scope_close(&s, -ECANCELED), -ECANCELED);
    CHECK(flags_of(&s) & S_FAILED);
    roost_errors_free(roost_errors_take());
    return 0;
}

TEST_PLAIN(a_cancelled_body_is_absorbed_where_it_was_cancelled, "R24 R36")
{
    alone(keep_body);
}

#define LONG "0123456789012345678901234567890123456789"

static void check_reason(int kind, int status, const char *task,
                         const char *scope)
{
    roost_reason why;

    CHECK_EQ(roost_scope_reason(NULL, &why), 0);
    CHECK_EQ(why.kind, kind);
    CHECK_EQ(why.status, status);
    CHECK_STR(why.task, task);
    CHECK_STR(why.scope, scope);
}

static int keep_reasons(void *arg)
{
    roost_scope_opts opts = {.name = "S" LONG};
    roost_scope outer, s;

    (void)arg;
    roost_scope_open(&outer, &opts);
    roost_scope_open(&s, &(roost_scope_opts){.name = "inner"});
    CHECK(scope_cancel_with(scope_of(&outer), ROOST_REASON_EXPLICIT, -EPIPE,
                            "T" LONG));
    CHECK(roost_cancelled());
    CHECK_EQ(roost_scope_close(&s, 0), -ECANCELED);
    check_reason(ROOST_REASON_OUTER, -EPIPE, "T01234567890123456789012345678",
                 "S012345678901234567890123456789");
    CHECK_EQ(roost_scope_close(&outer, 0), -EPIPE);
    check_reason(ROOST_REASON_EXPLICIT, -EPIPE,
                 "T01234567890123456789012345678",
                 "S012345678901234567890123456789");
    CHECK(marks() & F_KEPT); /* what it was cancelled with is a failure */
    roost_errors_free(roost_errors_take());
    /* Of the last one only. */
    roost_scope_open(&s, &(roost_scope_opts){.name = "inner"});
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(!(marks() & (F_REASON | F_KEPT)));
    return 0;
}

TEST_PLAIN(a_reason_is_kept_with_its_names, "R13 R16")
{
    alone(keep_reasons);
}

/* --- join --- */

static int sleep_a_little(void *arg)
{
    (void)arg;
    return roost_sleep(1000);
}

static int sleep_long(void *arg)
{
    (void)arg;
    return roost_sleep(3600 * ROOST_S);
}

static int join_of_another(void *s)
{
    CHECK_EQ(roost_scope_join(s), -EPERM);
    CHECK_EQ(roost_scope_join(NULL), -EINVAL);
    return 0;
}

static int cancel_it(void *s)
{
    CHECK(roost_scope_cancel(s, 0));
    return 0;
}

static void check_joined(roost_scope *s)
{
    CHECK(!(flags_of(s) & (S_JOINING | S_LOCK)));
    CHECK(!(a64_load(&scope_of(s)->count, RELAXED) & COUNT_BITS));
    CHECK_EQ(a32_load(&frame_current()->waiter.state, RELAXED) & WAIT_PHASE,
             WAIT_IDLE);
}

static int join_some(void *arg)
{
    roost_scope outer, s;

    (void)arg;
    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_scope_join(&s), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(roost_spawn(&s, sleep_a_little, NULL), 0);
    }
    CHECK_EQ(roost_spawn(&s, join_of_another, &s), 0);
    CHECK_EQ(roost_scope_hold(&s), 0);
    CHECK_EQ(roost_scope_join(&s), 0);
    CHECK_EQ(a64_load(&scope_of(&s)->count, RELAXED), COUNT_PIN);
    CHECK(!(flags_of(&s) & S_JOINING));
    CHECK_EQ(scope_of(&s)->local, 0);
    /* It leaves when it is cancelled; they go on. */
    CHECK_EQ(roost_spawn(&s, sleep_long, NULL), 0);
    CHECK_EQ(roost_spawn(&s, cancel_it, &outer), 0);
    CHECK_EQ(roost_scope_join(&s), -ECANCELED);
    check_joined(&s);
    CHECK_EQ(roost_scope_join(&s), -ECANCELED);
    roost_scope_release(&s);
    CHECK_EQ(roost_scope_close(&s, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    return 0;
}

static int join_as_it_ends(void *arg)
{
    roost_scope outer, s;

    (void)arg;
    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, NULL);
    count_add(&scope_of(&s)->count, COUNT_CHILD);
    ends_when_announced = scope_of(&s);
    CHECK_EQ(roost_scope_join(&s), 0);
    CHECK(ends_when_announced == NULL);
    check_joined(&s);
    /* Who may join is said before that he is cancelled. */
    CHECK(roost_scope_cancel(&outer, 0));
    CHECK_EQ(roost_scope_join(NULL), -EINVAL);
    CHECK_EQ(roost_scope_join(scope_public(scope_of(&s)->outer->outer)),
             -EPERM);
    CHECK_EQ(roost_scope_join(&s), -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), -ECANCELED);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    return 0;
}

TEST_PLAIN(a_join_that_need_not_wait_leaves_no_mark, "R2 R27")
{
    alone(join_as_it_ends);
}

TEST_PLAIN(a_join_leaves_no_mark, "R27")
{
    CHECK_EQ(roost_scope_join(NULL), -EPERM);
    alone(join_some);
}
