/*
 * tasks_test.c - spawning, scopes and their kin when memory runs out.
 *
 * Would catch: a refused call that has left something behind (a count, a
 * handle, a copy, a hook), a scope that cannot be used or closed afterwards, a
 * failure that is lost because there was no memory to write it down, a leak.
 *
 * __wrap_malloc() __wrap_calloc() __wrap_free() __wrap_posix_memalign()
 * __wrap_mmap() __wrap_munmap() __wrap_madvise() __wrap_syscall()
 * __wrap_pthread_create() __wrap_eventfd() __wrap_signalfd()
 */
#include "fault/ops.h"

static bool refusal(int rc)
{
    return rc == -ENOMEM || rc == -EAGAIN;
}

static int counts(void *arg)
{
    test_add(arg, 1);
    return 0;
}

/* After a refusal the scope takes children as before. */
static void still_works(roost_scope *s)
{
    int ran = 0;

    fault_end();
    CHECK_EQ(roost_spawn(s, counts, &ran), 0);
    CHECK_EQ(roost_scope_join(s), 0);
    CHECK_EQ(ran, 1);
}

/* --- spawn --- */

static int adds_copy(void *arg)
{
    struct {
        int *sum;
        int n;
    } *copy = arg;

    CHECK_EQ((uintptr_t)arg % 16, 0);
    test_add(copy->sum, copy->n);
    return 0;
}

static bool spawn_copies(void)
{
    roost_scope s;
    int sum = 0;
    int expected = 0;
    int rc = 0;

    roost_scope_open(&s, NULL);
    fault_go();
    for (int i = 1; i <= 10 && rc == 0; i++) {
        struct {
            int *sum;
            int n;
        } arg = {&sum, i};

        rc = roost_spawn_copy(&s, adds_copy, &arg, sizeof(arg));
        expected += rc == 0 ? i : 0;
    }
    CHECK(rc == 0 || rc == -ENOMEM);
    fault_end();
    CHECK_EQ(roost_scope_close(&s, 0), rc);
    CHECK_EQ(sum, expected);
    return rc == 0;
}

TEST_PLAIN(spawn_copy_refused, "R29 R36")
{
    under_faults(spawn_copies, false, 20);
}

static bool spawn_with_options(void)
{
    roost_task handle;
    roost_task_opts opts = {.name = "named",
                            .handle = &handle,
                            .stack_size = 1u << 20,
                            .priority = ROOST_HIGH};
    roost_scope s;
    int ran = 0;
    int status = 1;
    int rc;

    memset(&handle, 0, sizeof(handle));
    roost_scope_open(&s, NULL);
    fault_go();
    rc = roost_spawn_opts(&s, counts, &ran, &opts);
    CHECK(rc == 0 || rc == -ENOMEM);
    fault_end();
    if (rc == 0) {
        CHECK_EQ(roost_join(&handle, &status), 0);
        CHECK_EQ(status, 0);
    } else {
        CHECK_EQ(roost_join(&handle, NULL), -EINVAL);
        CHECK(!roost_task_cancel(&handle));
        CHECK_EQ(roost_spawn_opts(&s, counts, &ran, &opts), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0); /* a refusal is only reported */
    CHECK_EQ(ran, 1);
    return rc == 0;
}

TEST_PLAIN(spawn_opts_refused, "R29")
{
    under_faults(spawn_with_options, false, 4);
}

static bool spawn_a_service(void)
{
    roost_task_opts opts = {.flags = ROOST_SERVICE, .name = "service"};
    roost_scope s;
    int ran = 0;
    int rc;

    roost_scope_open(&s, NULL);
    fault_go();
    rc = roost_spawn_opts(&s, counts, &ran, &opts);
    CHECK(rc == 0 || rc == -ENOMEM);
    if (rc != 0) {
        still_works(&s);
    }
    fault_end();
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    return rc == 0;
}

TEST_PLAIN(service_refused, "R29")
{
    under_faults(spawn_a_service, false, 4);
}

static bool spawn_with_limit(void)
{
    roost_scope s;
    int ran = 0;
    int accepted = 0;
    int rc = 0;
    int closed;

    fault_go();
    roost_scope_open(&s, &(roost_scope_opts){.limit = 2, .name = "limited"});
    for (int i = 0; i < 6 && rc == 0; i++) {
        rc = roost_spawn(&s, counts, &ran);
        accepted += rc == 0;
    }
    CHECK(rc == 0 || refusal(rc) || rc == -ECANCELED);
    fault_end();
    closed = roost_scope_close(&s, 0);
    CHECK_EQ(closed, rc == 0 ? 0 : -ENOMEM);
    CHECK_EQ(ran, accepted);
    return rc == 0;
}

TEST_PLAIN(limited_scope_refused, "R35 R36")
{
    under_faults(spawn_with_limit, false, 8);
}

static bool open_with_name(void)
{
    roost_scope s;
    int rc;

    fault_go();
    roost_scope_open(&s,
                     &(roost_scope_opts){.name = "a name", .timeout = ROOST_S});
    fault_end();
    rc = roost_scope_close(&s, 0);
    CHECK(rc == 0 || rc == -ENOMEM);
    return rc == 0;
}

TEST_PLAIN(open_refused, "R28")
{
    under_faults(open_with_name, false, 2);
}

/* --- what scopes carry --- */

static void sets(void *arg)
{
    test_add(arg, 1);
}

static bool hooks_and_links(void)
{
    roost_scope source;
    roost_scope s;
    roost_hook hook;
    int ran = 0;
    int rc;

    roost_scope_open(&source, NULL);
    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_SHIELD});
    fault_go();
    CHECK_EQ(roost_scope_on_cancel(&s, &hook, sets, &ran), 0);
    rc = roost_scope_link(&s, &source);
    CHECK(rc == 0 || rc == -ENOMEM);
    fault_end();
    roost_scope_cancel(&source, 0);
    CHECK_EQ(ran, rc == 0 ? 1 : 0);
    CHECK_EQ(roost_yield(), rc == 0 ? -ECANCELED : 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(roost_scope_close(&source, 0), 0);
    return rc == 0;
}

TEST_PLAIN(link_refused, "R22")
{
    under_faults(hooks_and_links, false, 2);
}

static roost_local key;
static int values[2];

static int sees_binding(void *arg)
{
    CHECK(roost_local_get(&key) == *(void **)arg);
    return 0;
}

static bool binds(void)
{
    roost_scope outer;
    roost_scope s;
    void *seen = &values[0];
    int rc;

    roost_scope_open(&outer, NULL);
    CHECK_EQ(roost_local_bind(&outer, &key, &values[0]), 0);
    roost_scope_open(&s, NULL);
    fault_go();
    rc = roost_local_bind(&s, &key, &values[1]);
    CHECK(rc == 0 || rc == -ENOMEM);
    seen = rc == 0 ? &values[1] : &values[0];
    fault_end();
    CHECK(roost_local_get(&key) == seen);
    CHECK_EQ(roost_spawn(&s, sees_binding, &seen), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(roost_local_get(&key) == &values[0]);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK(roost_local_get(&key) == NULL);
    return rc == 0;
}

TEST_PLAIN(bind_refused, "R31")
{
    under_faults(binds, false, 4);
}

static bool softly(void)
{
    roost_scope s;
    int rc;

    roost_scope_open(&s, &(roost_scope_opts){.flags = ROOST_FINISH});
    fault_go();
    CHECK(roost_scope_cancel_soft(&s, ROOST_S));
    fault_end();
    rc = roost_yield(); /* without memory for a grace it is hard at once */
    CHECK(rc == 0 || rc == -ECANCELED);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    return rc == 0;
}

TEST_PLAIN(soft_cancel_refused, "R25")
{
    under_faults(softly, false, 2);
}

/* --- tasks with a partner --- */

static int comes_up(void *arg)
{
    CHECK_EQ(roost_started(arg), 0);
    return counts(arg);
}

static bool starts_a_task(void)
{
    roost_scope s;
    int ran = 0;
    void *value = NULL;
    int rc;

    roost_scope_open(&s, NULL);
    fault_go();
    rc = roost_spawn_started(&s, comes_up, &ran,
                             &(roost_task_opts){.name = "up"}, &value);
    CHECK(rc == 0 || rc == -ENOMEM);
    CHECK(value == (rc == 0 ? &ran : NULL));
    if (rc != 0) {
        still_works(&s);
    }
    fault_end();
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(ran, rc == 0);
    return rc == 0;
}

TEST_PLAIN(started_refused, "R34")
{
    under_faults(starts_a_task, false, 4);
}

/* The room of a limit is given back. */
static bool starts_with_options(void)
{
    roost_task_opts opts = {.stack_size = 1u << 20, .name = "up"};
    roost_scope s;
    int ran = 0;
    int rc;

    roost_scope_open(&s, &(roost_scope_opts){.limit = 1});
    fault_go();
    rc = roost_spawn_started(&s, comes_up, &ran, &opts, NULL);
    CHECK(rc == 0 || rc == -ENOMEM);
    fault_end();
    if (rc != 0) {
        CHECK_EQ(roost_spawn_started(&s, comes_up, &ran, &opts, NULL), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK_EQ(ran, 1);
    return rc == 0;
}

TEST_PLAIN(a_large_start_refused, "R34 R35")
{
    under_faults(starts_with_options, true, 4);
}

static int drops;
static int background_ran;

static void drop(void *arg)
{
    CHECK_EQ(*(int *)arg, 42);
    test_add(&drops, 1);
}

static int in_background(void *arg)
{
    CHECK_EQ(*(int *)arg, 42);
    test_add(&background_ran, 1);
    return 0;
}

static bool backgrounds(void)
{
    roost_background_opts opts = {.copy = sizeof(int), .drop = drop};
    int value = 42;
    int rc;

    fault_go();
    rc = roost_background("behind", in_background, &value, &opts);
    CHECK(rc == 0 || rc == -ENOMEM);
    fault_end();
    return rc == 0;
}

static bool run_background(void *arg)
{
    bool granted;

    drops = 0;
    background_ran = 0;
    granted = run_op(arg);
    CHECK_EQ(background_ran, granted);
    CHECK_EQ(drops, granted);
    return granted;
}

TEST_PLAIN(background_refused, "R44")
{
    bool (*body)(void) = backgrounds;
    struct fault_loop loop = {run_background, &body, false, 300};

    run_background(&body);
    CHECK(fault_loop(&loop) >= 2);
}

/* --- failures --- */

static int fails_with_words(void *arg)
{
    return roost_fail(-EBADMSG, "number %d is bad", *(int *)arg);
}

static int fails_as_group(void *arg)
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < 3; i++) {
        (void)roost_spawn(&s, fails_with_words, arg);
    }
    return roost_scope_close(&s, 0);
}

static bool is_bad(const roost_error *e, void *ctx)
{
    (void)ctx;
    return e->status == -EBADMSG;
}

static void walk_and_free(roost_errors *e)
{
    roost_error it = {0};

    while (e != NULL && roost_errors_next(e, &it)) {
        CHECK(it.status == -EBADMSG || it.status == -EPROTO);
        CHECK(it.message != NULL && it.task != NULL && it.scope != NULL);
    }
    roost_errors_free(e);
}

/* The status is never lost; the tree may be poorer. */
static bool errors(void)
{
    roost_scope s;
    roost_errors *all;
    roost_errors *bad = NULL;
    roost_errors *rest = NULL;
    int number = 5;
    int rc;

    fault_go();
    roost_scope_open(&s, NULL);
    (void)roost_spawn(&s, fails_as_group, &number);
    (void)roost_spawn(&s, fails_with_words, &number);
    rc = roost_scope_close(&s, roost_fail(-EPROTO, "the body, %s", "too"));
    CHECK_EQ(rc, -EPROTO);
    all = roost_errors_take();
    CHECK(all != NULL);
    rc = roost_errors_split(all, is_bad, NULL, &bad, &rest);
    CHECK(rc == 0 || rc == -ENOMEM);
    fault_end();
    if (rc != 0) {
        walk_and_free(all);
    }
    walk_and_free(bad);
    walk_and_free(rest);
    return rc == 0;
}

TEST_PLAIN(errors_survive_refusals, "R37 R40")
{
    under_faults(errors, true, 10);
}

/* --- signals --- */

static bool on_signal(void)
{
    roost_scope s;
    sigset_t set;
    int rc;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    roost_scope_open(&s, NULL);
    fault_go();
    rc = roost_scope_cancel_on_signal(&s, &set, -EINTR);
    CHECK(rc == 0 || refusal(rc) || rc == -EMFILE);
    fault_end();
    if (rc == 0) {
        kill(getpid(), SIGUSR1);
        CHECK_EQ(roost_sleep(100 * ROOST_S), -ECANCELED);
    }
    CHECK_EQ(roost_scope_close(&s, 0), rc == 0 ? -EINTR : 0);
    return rc == 0;
}

static bool run_signal(void *arg)
{
    roost_opts opts = {.workers = 1, .signals = arg};
    struct op op = {on_signal, false};

    CHECK_EQ(roost_run(op_task, &op, &opts), 0);
    return op.granted;
}

TEST_PLAIN(cancel_on_signal_refused, "R71")
{
    sigset_t set;
    struct fault_loop loop = {run_signal, &set, false, 300};

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    run_signal(&set);
    CHECK(fault_loop(&loop) >= 8);
}
