/*
 * scope_test.c - a scope's words, as scope.c, close.c and cancel.c write them:
 * what an open leaves in them, a spawn, a cancel, and what close reads there.
 *
 * Would catch: an option that sets another's bit; a second part that is made
 * twice or not at all; a child that is counted wrongly, or not run on its
 * closer's stack though it could be; a spawner that never steps aside; a reason
 * that is not the first; a verdict by the wrong rule, or in the wrong order.
 */
#include "spinner.h"

#include "count.h"
#include "runtime.h"
#include "scope.h"
#include "worker.h"
#include <errno.h>

/* --- who steps aside --- */

static unsigned asides;
static uint32_t drain_then;

void __real_ready_step_aside(struct worker *w);
void __wrap_ready_step_aside(struct worker *w);

void __wrap_ready_step_aside(struct worker *w)
{
    asides++;
    drain_then = w->drain;
    __real_ready_step_aside(w);
}

/* With one worker: what is in its deque nobody else takes. */
static void alone(roost_fn fn)
{
    roost_opts opts = {.workers = 1};

    CHECK_EQ(roost_run(fn, NULL, &opts), 0);
}

static uint32_t flags_of(roost_scope *s)
{
    return scope_flags(scope_of(s));
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* --- opening --- */

TEST_PLAIN(who_takes_no_more_children, "R28")
{
    struct frame f;
    struct scope s;

    memset(&s, 0, sizeof s);
    CHECK(scope_closed(&s));
    a32_init(&s.flags, S_HOLDER);
    CHECK(!scope_closed(&s));
    a32_init(&s.flags, S_HIDDEN);
    CHECK(!scope_closed(&s));
    a32_init(&s.flags, S_HOLDER | S_CLOSED);
    CHECK(scope_closed(&s));
    s.owner = &f;
    CHECK(scope_closed(&s));
    a32_init(&s.flags, ~(uint32_t)S_CLOSED);
    CHECK(!scope_closed(&s));
}

TEST_PLAIN(the_second_part_is_made_once, "R37")
{
    struct timer timer;
    struct scope s;

    memset(&s, 0xa5, sizeof s);
    a32_init(&s.flags, S_SHIELD);
    scope_full(&s);
    CHECK_EQ(scope_flags(&s), S_SHIELD | S_FULL);
    CHECK(list_empty(&s.tasks));
    CHECK(s.timer.owner == NULL && !list_linked(&s.timer.link));
    CHECK(!list_linked(&s.attach));
    CHECK(s.hooks == NULL && s.defers == NULL && s.errors == NULL);
    CHECK(s.rare == NULL && s.whens == NULL);
    CHECK_EQ(s.fail_status, 0);
    CHECK_EQ(s.reason_status, 0);
    CHECK_EQ(s.reason_kind, 0);
    CHECK_STR(s.reason_task, "");
    s.timer.owner = &timer;
    scope_full(&s);
    CHECK(s.timer.owner == &timer);
    CHECK_EQ(scope_flags(&s), S_SHIELD | S_FULL);
}

TEST_PLAIN(the_rare_part_is_made_once, "R35")
{
    struct scope s;
    struct scope_rare *rare;

    memset(&s, 0xa5, sizeof s);
    a32_init(&s.flags, 0);
    CHECK_STR(scope_name(&s), ""); /* it has no second part */
    rare = scope_rare(&s);
    CHECK(rare != NULL && s.rare == rare);
    CHECK(rare->scope == &s);
    CHECK(list_empty(&rare->turn));
    CHECK_STR(scope_name(&s), "");
    strcpy(rare->name, "it");
    CHECK(scope_rare(&s) == rare);
    CHECK_STR(scope_name(&s), "it");
    CHECK_EQ(scope_flags(&s), S_FULL); /* no lock is left */
    scope_dispose(&s);
    CHECK(s.rare == NULL);
}

TEST(a_plain_scope_is_four_words, "R26")
{
    struct frame *f = frame_current();
    struct scope *outer = f->scope;
    roost_scope pub;
    struct scope *s = scope_of(&pub);

    memset(&pub, 0xa5, sizeof pub);
    roost_scope_open(&pub, NULL);
    CHECK(f->scope == s);
    CHECK(s->outer == outer);
    CHECK(s->owner == f);
    CHECK_EQ(scope_flags(s), 0);
    CHECK_EQ(s->local, 0);
    CHECK_EQ(a64_load(&s->count, RELAXED), 0);
    CHECK_EQ(roost_scope_close(&pub, 0), 0);
    CHECK(f->scope == outer);
    CHECK(s->owner == NULL);
}

/* Of what is outside it inherits that there is a deadline, and no more. */
TEST(little_is_inherited, "R20 R31")
{
    roost_scope_opts opts = {.flags = ROOST_SHIELD | ROOST_MOVE_ON,
                             .deadline = ROOST_NEVER - 1};
    roost_scope outer, inner;

    roost_scope_open(&outer, &opts);
    CHECK_EQ(flags_of(&outer),
             S_SHIELD | S_MOVE_ON | S_FULL | S_DEADLINE | S_TIMED);
    roost_scope_open(&inner, NULL);
    CHECK_EQ(flags_of(&inner), S_TIMED);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
}

TEST(a_deadline_alone_needs_no_second_part, "R15")
{
    roost_scope_opts opts = {.flags = ROOST_MOVE_ON,
                             .deadline = roost_in(3600 * ROOST_S)};
    roost_scope s;

    roost_scope_open(&s, &opts);
    CHECK_EQ(flags_of(&s), S_MOVE_ON | S_DEADLINE | S_TIMED);
    CHECK_EQ(a64_load(&scope_of(&s)->deadline, RELAXED), opts.deadline);
    CHECK_EQ(roost_scope_deadline(&s), opts.deadline);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(each_option_has_its_bit, "R17 R25 R29 R35 R41 R42")
{
    static const struct {
        unsigned flag;
        uint32_t bit;
    } of[] = {
        {ROOST_SHIELD, S_SHIELD},       {ROOST_FINISH, S_FINISH},
        {ROOST_SUPERVISE, S_SUPERVISE}, {ROOST_RACE, S_RACE},
        {ROOST_MOVE_ON, S_MOVE_ON},     {ROOST_SKIP, S_SKIP},
    };

    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        roost_scope_opts opts = {.flags = of[i].flag, .limit = 7};
        roost_scope s;

        roost_scope_open(&s, &opts);
        CHECK_EQ(flags_of(&s), of[i].bit | S_FULL | S_LIMIT);
        CHECK_EQ(scope_of(&s)->rare->limit, 7);
        CHECK_EQ(roost_scope_close(&s, 0),
                 of[i].flag == ROOST_RACE ? -EINVAL : 0);
    }
}

TEST(a_name_is_kept_as_far_as_there_is_room, "R66")
{
    roost_scope_opts opts = {.name = "0123456789012345678901234567890123"};
    roost_scope s;

    roost_scope_open(&s, &opts);
    CHECK_STR(scope_name(scope_of(&s)), "0123456789012345678901234567890");
    CHECK_EQ(flags_of(&s), S_FULL);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(options_that_there_are_not_fail_the_scope, "R8 R36")
{
    const roost_scope_opts wrong[] = {
        {.flags = 1u << 6},          {.flags = 1u << 27},
        {.flags = 1u << 28}, /* beyond what a scope's word has */
        {.flags = 1u << 31},         {.reserved_ = {1}},
        {.reserved_ = {0, 0, 0, 1}},
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        roost_scope s;

        roost_scope_open(&s, &wrong[i]);
        CHECK(flags_of(&s) & S_NOMEM);
        CHECK(flags_of(&s) & S_FAILED);
        CHECK_EQ(roost_spawn(&s, nothing, NULL), -EINVAL);
        CHECK_EQ(roost_scope_close(&s, 0), -EINVAL);
        roost_errors_free(roost_errors_take());
    }
}

/* --- who was quicker --- */

static struct scope *made_meanwhile; /* whose rare part another makes first */
static struct scope_rare *theirs;

void *__real_alloc_zero(size_t size);
void *__wrap_alloc_zero(size_t size);

void *__wrap_alloc_zero(size_t size)
{
    struct scope *s = made_meanwhile;

    if (s != NULL) {
        made_meanwhile = NULL;
        theirs = scope_rare(s);
    }
    return __real_alloc_zero(size);
}

TEST_PLAIN(two_who_make_the_rare_part_get_the_same, "R37")
{
    struct scope s;

    memset(&s, 0xa5, sizeof s);
    a32_init(&s.flags, 0);
    theirs = NULL;
    made_meanwhile = &s;
    CHECK(scope_rare(&s) == s.rare);
    CHECK(theirs != NULL && theirs == s.rare);
    CHECK_EQ(scope_flags(&s), S_FULL);
    scope_dispose(&s);
}

static void make_full(void *s)
{
    scope_full(s);
}

/* It found no second part, and there is one when it has the lock. */
TEST_PLAIN(who_comes_second_makes_no_second_part, "R37")
{
    struct spinner other;
    struct scope s;

    memset(&s, 0, sizeof s);
    a32_init(&s.flags, S_LOCK);
    spinner_start(&other, make_full, &s);
    CHECK(!test_get(&other.over));
    s.tasks.next = s.tasks.prev = &s.attach;
    a32_add(&s.flags, S_FULL - S_LOCK, RELEASE);
    spinner_join(&other);
    CHECK(s.tasks.next == &s.attach && s.tasks.prev == &s.attach);
    CHECK_EQ(scope_flags(&s), S_FULL);
}

/* --- spawning --- */

static int count_children(void *arg)
{
    struct worker *w = worker_self();
    roost_scope outer, s;

    (void)arg;
    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, NULL);
    for (int i = 1; i <= 300; i++) { /* over the first ring of the deque */
        CHECK_EQ(roost_spawn(&s, nothing, NULL), 0);
        CHECK_EQ(scope_of(&s)->local, i);
        CHECK_EQ(deque_size(&w->deque), i);
    }
    CHECK_EQ(a64_load(&scope_of(&s)->count, RELAXED), 0);
    CHECK_EQ(roost_spawn(&outer, nothing, NULL), 0); /* its own, further out */
    CHECK_EQ(scope_of(&outer)->local, 1);
    CHECK_EQ(a64_load(&scope_of(&outer)->count, RELAXED), 0);
    CHECK_EQ(deque_size(&w->deque), 301);
    CHECK_EQ(roost_spawn(&s, NULL, NULL), -EINVAL);
    CHECK_EQ(roost_spawn(&outer, NULL, NULL), -EINVAL);
    CHECK_EQ(roost_spawn(NULL, nothing, NULL), -EINVAL);
    CHECK_EQ(asides, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(scope_of(&s)->local, 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK_EQ(deque_size(&w->deque), 0);
    return 0;
}

TEST_PLAIN(children_of_the_opener_are_counted_in_a_plain_word, "R26 R28")
{
    asides = 0;
    alone(count_children);
}

/* Before the plain word runs over its children go into the shared one. */
static int count_very_many(void *arg)
{
    const int most = INT32_MAX / 2;
    roost_scope outer, inner;

    (void)arg;
    roost_scope_open(&outer, NULL);
    roost_scope_open(&inner, NULL);
    scope_of(&outer)->local = most - 2; /* as if so many had been spawned */
    CHECK_EQ(roost_spawn(&outer, nothing, NULL), 0);
    CHECK_EQ(scope_of(&outer)->local, most - 1);
    CHECK_EQ(a64_load(&scope_of(&outer)->count, RELAXED), 0);
    CHECK_EQ(roost_spawn(&outer, nothing, NULL), 0);
    CHECK_EQ(scope_of(&outer)->local, 0);
    CHECK_EQ(a64_load(&scope_of(&outer)->count, RELAXED),
             (uint64_t)most * COUNT_CHILD);
    CHECK_EQ(roost_spawn(&outer, nothing, NULL), 0);
    CHECK_EQ(scope_of(&outer)->local, 1);
    a64_add(&scope_of(&outer)->count, -(uint64_t)(most - 2) * COUNT_CHILD,
            RELAXED);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    return 0;
}

TEST_PLAIN(a_thousand_million_children_are_counted, "R28")
{
    alone(count_very_many);
}

static int count_others(void *arg)
{
    roost_scope *s = arg;

    CHECK_EQ(roost_spawn(s, nothing, NULL), 0);
    CHECK_EQ(a64_load(&scope_of(s)->count, RELAXED), COUNT_CHILD);
    return 0;
}

static int spawn_from_a_child(void *arg)
{
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, count_others, &s), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(a64_load(&scope_of(&s)->count, RELAXED), 0);
    return 0;
}

TEST_PLAIN(children_of_others_are_counted_in_the_shared_word, "R32")
{
    alone(spawn_from_a_child);
}

static int spawn_very_many(void *arg)
{
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    for (int i = 0; i < WORKER_QUEUE_MAX; i++) {
        CHECK_EQ(roost_spawn(&s, nothing, NULL), 0);
    }
    CHECK_EQ(asides, 0);
    CHECK_EQ(roost_spawn(&s, nothing, NULL), 0);
    CHECK_EQ(asides, 1);
    CHECK_EQ(drain_then, 1);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    return 0;
}

TEST_PLAIN(a_spawner_of_very_many_steps_aside, "R7")
{
    asides = 0;
    alone(spawn_very_many);
}

/* --- cancelling --- */

static uint64_t cancels(void)
{
    return a64_load(&worker_self()->counters.cancelled, RELAXED);
}

static void check_cancelled(unsigned reason, int status, uint32_t bits)
{
    struct runtime *rt = runtime_self();
    uint64_t epoch = a64_load(&rt->epoch, RELAXED), before = cancels();
    roost_scope pub;
    struct scope *s = scope_of(&pub);

    roost_scope_open(&pub, NULL);
    CHECK(scope_cancel_with(s, reason, status, "somebody"));
    CHECK_EQ(scope_flags(s), S_FULL | S_CANCELLED | bits);
    CHECK_EQ(s->reason_kind, reason);
    CHECK_EQ(s->reason_status, status);
    CHECK_STR(s->reason_task, "somebody");
    CHECK_EQ(a64_load(&rt->epoch, RELAXED), epoch + 1);
    CHECK_EQ(cancels(), before + 1);
    /* The first one stays. */
    CHECK(!scope_cancel_with(s, ROOST_REASON_SHUTDOWN, -EPIPE, "another"));
    CHECK_EQ(scope_flags(s), S_FULL | S_CANCELLED | bits);
    CHECK_EQ(s->reason_kind, reason);
    CHECK_EQ(s->reason_status, status);
    CHECK_STR(s->reason_task, "somebody");
    CHECK_EQ(a64_load(&rt->epoch, RELAXED), epoch + 1);
    CHECK_EQ(cancels(), before + 1);
    (void)roost_scope_close(&pub, 0);
}

static int cancel_for_each_reason(void *arg)
{
    (void)arg;
    check_cancelled(ROOST_REASON_EXPLICIT, 0, 0);
    check_cancelled(ROOST_REASON_EXPLICIT, -EIO, S_NEGATIVE);
    check_cancelled(ROOST_REASON_DEADLINE, -ETIMEDOUT, S_EXPIRED);
    check_cancelled(ROOST_REASON_CHILD, -EIO, 0);
    check_cancelled(ROOST_REASON_BODY, -EIO, 0);
    check_cancelled(ROOST_REASON_SHUTDOWN, 0, 0);
    return 0;
}

TEST_PLAIN(a_cancel_is_marked_once_with_its_reason, "R12 R13")
{
    alone(cancel_for_each_reason);
}

static int cancel_by_names(void *arg)
{
    roost_scope s;

    (void)arg;
    roost_scope_open(&s, NULL);
    CHECK(scope_cancel_with(scope_of(&s), ROOST_REASON_EXPLICIT, 0, NULL));
    CHECK_STR(scope_of(&s)->reason_task, "");
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    roost_scope_open(&s, NULL);
    CHECK(scope_cancel_with(scope_of(&s), ROOST_REASON_EXPLICIT, 0,
                            "0123456789012345678901234567890123"));
    CHECK_STR(scope_of(&s)->reason_task, "012345678901234567890123456789");
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    return 0;
}

TEST_PLAIN(who_cancelled_is_kept_as_far_as_there_is_room, "R13")
{
    alone(cancel_by_names);
}

static int64_t hard_timer(struct scope *s)
{
    int64_t when = s->rare->hard_timer.when;

    return when < 0 ? -when : when; /* behind the horizon: timer.c */
}

static int cancel_softly(void *arg)
{
    int64_t hour = roost_in(3600 * ROOST_S);
    uint64_t before = cancels();
    roost_scope pub;
    struct scope *s = scope_of(&pub);

    (void)arg;
    roost_scope_open(&pub, NULL);
    CHECK(scope_cancel_softly(s, hour, ROOST_REASON_EXPLICIT));
    CHECK_EQ(scope_flags(s), S_FULL | S_SOFT);
    CHECK_EQ(s->reason_kind, ROOST_REASON_EXPLICIT);
    CHECK_EQ(s->rare->hard_time, hour);
    CHECK_EQ(hard_timer(s), hour);
    CHECK_EQ(cancels(), before + 1);
    /* The earliest hard time wins. */
    CHECK(!scope_cancel_softly(s, hour + 1, ROOST_REASON_SHUTDOWN));
    CHECK_EQ(s->rare->hard_time, hour);
    CHECK_EQ(hard_timer(s), hour);
    CHECK(!scope_cancel_softly(s, hour - 1, ROOST_REASON_SHUTDOWN));
    CHECK_EQ(s->rare->hard_time, hour - 1);
    CHECK_EQ(hard_timer(s), hour - 1);
    CHECK_EQ(s->reason_kind, ROOST_REASON_EXPLICIT);
    CHECK_EQ(cancels(), before + 1);
    /* A deadline that comes then is not why it was cancelled. */
    CHECK(!scope_cancel_with(s, ROOST_REASON_DEADLINE, -ETIMEDOUT, ""));
    CHECK_EQ(scope_flags(s), S_FULL | S_SOFT | S_CANCELLED);
    CHECK_EQ(s->reason_kind, ROOST_REASON_EXPLICIT);
    CHECK_EQ(s->reason_status, 0);
    CHECK_EQ(cancels(), before + 1);
    CHECK(!scope_cancel_softly(s, hour - 2, ROOST_REASON_EXPLICIT));
    CHECK_EQ(s->rare->hard_time, hour - 1);
    CHECK_EQ(roost_scope_close(&pub, 0), 0);
    return 0;
}

TEST_PLAIN(a_soft_cancel_turns_hard_at_the_earliest_time, "R13 R25")
{
    alone(cancel_softly);
}

/* --- the verdict --- */

static int verdict(uint32_t flags, struct scope *outer, int body)
{
    struct scope s;

    memset(&s, 0, sizeof s);
    a32_init(&s.flags, flags);
    s.outer = outer;
    s.owner = outer == NULL ? NULL : outer->owner;
    s.fail_status = -EIO;
    s.reason_status = -EPIPE;
    return scope_verdict(&s, body);
}

TEST(a_verdict_is_the_first_rule_that_fits, "R38 R39 R41 R42")
{
    const uint32_t expired = S_CANCELLED | S_DELIVERED | S_EXPIRED;
    roost_scope pub = {0};
    struct scope *outer = scope_of(&pub);

    CHECK_EQ(verdict(0, NULL, 7), 0);
    CHECK_EQ(verdict(S_WON | S_NEGATIVE | expired, NULL, 0), -EIO);
    CHECK_EQ(verdict(S_FAILED | S_NEGATIVE | expired, NULL, 0), -EIO);
    CHECK_EQ(verdict(expired, NULL, 0), -ETIMEDOUT);
    CHECK_EQ(verdict(expired | S_NEGATIVE, NULL, 0), -ETIMEDOUT);
    CHECK_EQ(verdict(expired | S_MOVE_ON, NULL, 0), 0);
    CHECK_EQ(verdict(expired & ~(uint32_t)S_DELIVERED, NULL, 0), 0);
    CHECK_EQ(verdict(S_CANCELLED | S_DELIVERED, NULL, 0), 0);
    CHECK_EQ(verdict(S_CANCELLED | S_NEGATIVE, NULL, 0), -EPIPE);
    CHECK_EQ(verdict(S_RACE, NULL, 0), -EINVAL);
    CHECK_EQ(verdict(S_RACE | S_SPAWNED, NULL, 0), 0);
    CHECK_EQ(verdict(S_SUPERVISE, NULL, 7), 7);
    CHECK_EQ(verdict(S_SUPERVISE, NULL, -7), -7);
    roost_scope_open(&pub, NULL);
    CHECK_EQ(verdict(S_DELIVERED | expired, outer, 0), -ETIMEDOUT);
    CHECK(roost_scope_cancel(&pub, 0));
    CHECK_EQ(verdict(0, outer, 0), 0);
    CHECK_EQ(verdict(S_DELIVERED, outer, 0), -ECANCELED);
    CHECK_EQ(verdict(expired | S_NEGATIVE, outer, 0), -ECANCELED);
    CHECK_EQ(verdict(S_DELIVERED | S_FAILED, outer, 0), -EIO);
    CHECK_EQ(verdict(S_DELIVERED | S_SHIELD, outer, 0), 0);
    CHECK_EQ(roost_scope_close(&pub, 0), 0);
}

/* --- descriptors --- */

static int join_one(void *arg)
{
    struct worker *w = worker_self();
    uint32_t before = w->spare_descs;
    roost_task_opts opts = {0};
    roost_scope s;
    roost_task t;

    (void)arg;
    opts.handle = &t;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_opts(&s, nothing, NULL, &opts), 0);
    CHECK_EQ(scope_of(&s)->local, 1);
    CHECK_EQ(roost_join(&t, NULL), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(w->spare_descs > 0 || DESCS_MAX == 0);
    before = w->spare_descs;
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn_opts(&s, nothing, NULL, &opts), 0);
    CHECK_EQ(w->spare_descs, before - (before > 0)); /* used again */
    CHECK_EQ(roost_join(&t, NULL), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(w->spare_descs, before);
    return 0;
}

TEST_PLAIN(descriptors_are_used_again, "R29 R43")
{
    alone(join_one);
}
