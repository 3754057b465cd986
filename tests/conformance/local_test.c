/*
 * local_test.c - values bound for all that a scope spawns: a task sees what was
 * bound where it was spawned, as it was then. Would catch a binding that leaks
 * to siblings, one freed while a task still sees it, a late one that shows.
 */
#include "tasks.h"

static roost_local key, other;

struct look {
    roost_local *key;
    roost_ns d;
    const void *first, *last;
};

static int look(void *arg)
{
    struct look *k = (struct look *)arg;

    k->first = roost_local_get(k->key);
    CHECK_EQ(roost_sleep(k->d), 0);
    k->last = roost_local_get(k->key);
    return 0;
}

TEST(an_unbound_key_is_null, "R31")
{
    CHECK(roost_local_get(&key) == NULL);
    CHECK(roost_local_get(&other) == NULL);
}

TEST(a_value_is_seen_by_the_opener_until_close, "R31")
{
    int a, b;
    roost_scope s, inner;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_local_bind(&s, &key, &a), 0);
    CHECK(roost_local_get(&key) == &a);
    CHECK(roost_local_get(&other) == NULL);
    roost_scope_open(&inner, NULL);
    CHECK(roost_local_get(&key) == &a);
    CHECK_EQ(roost_local_bind(&inner, &key, &b), 0);
    CHECK(roost_local_get(&key) == &b);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK(roost_local_get(&key) == &a);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(roost_local_get(&key) == NULL);
}

TEST(a_value_bound_again_in_the_same_scope_is_the_new_one, "R31")
{
    int a, b;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_local_bind(&s, &key, &a), 0);
    CHECK_EQ(roost_local_bind(&s, &key, &b), 0);
    CHECK(roost_local_get(&key) == &b);
    CHECK_EQ(roost_local_bind(&s, &key, NULL), 0);
    CHECK(roost_local_get(&key) == NULL);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(children_and_grandchildren_inherit, "R31")
{
    int a;
    struct look k = {.key = &key};
    roost_scope s, inner;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_local_bind(&s, &key, &a), 0);
    roost_scope_open(&inner, NULL);
    CHECK_EQ(roost_spawn(&inner, look, &k), 0);
    CHECK_EQ(roost_scope_close(&inner, 0), 0);
    CHECK(k.first == &a);
    CHECK(k.last == &a);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

/* "as it was then": conformance 178. */
TEST_VIRTUAL(a_task_sees_the_bindings_of_its_spawning_for_ever, "R31")
{
    int a, b;
    struct look before = {.key = &key, .d = ROOST_S};
    struct look between = before, after = before;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, look, &before), 0);
    CHECK_EQ(roost_local_bind(&s, &key, &a), 0);
    CHECK_EQ(roost_spawn(&s, look, &between), 0);
    CHECK_EQ(roost_local_bind(&s, &key, &b), 0);
    CHECK_EQ(roost_spawn(&s, look, &after), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(before.first == NULL && before.last == NULL);
    CHECK(between.first == &a && between.last == &a);
    CHECK(after.first == &b && after.last == &b);
}

TEST_VIRTUAL(a_snapshot_outlives_the_scope_that_bound_it, "R31")
{
    static int a;
    struct look k = {.key = &key, .d = 5 * ROOST_S};
    roost_scope outer, s;

    roost_scope_open(&outer, NULL);
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_local_bind(&s, &key, &a), 0);
    CHECK_EQ(roost_local_bind(&s, &other, &k), 0);
    CHECK_EQ(roost_spawn(&outer, look, &k), 0); /* into the OUTER scope */
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    memset(&s, 0xff, sizeof s);
    CHECK(roost_local_get(&key) == NULL);
    CHECK_EQ(roost_scope_close(&outer, 0), 0);
    CHECK(k.first == &a);
    CHECK(k.last == &a);
}

/* The spawner's locals count, not the target's: R31. */
struct outward {
    roost_scope *target;
    struct look k;
};

static int spawn_with_my_own(void *arg)
{
    struct outward *o = (struct outward *)arg;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_local_bind(&s, &key, o), 0);
    CHECK_EQ(roost_spawn(o->target, look, &o->k), 0);
    return roost_scope_close(&s, 0);
}

TEST(locals_come_from_the_spawner_not_the_target, "R31")
{
    int a;
    roost_scope s;
    struct outward o = {&s, {.key = &key}};

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_local_bind(&s, &key, &a), 0);
    CHECK_EQ(roost_spawn(&s, spawn_with_my_own, &o), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(o.k.first == &o);
}

static int rebind_in_my_own_scope(void *arg)
{
    int mine;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_local_bind(&s, &key, &mine), 0);
    CHECK_EQ(roost_yield(), 0);
    CHECK(roost_local_get(&key) == &mine);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(roost_local_get(&key) == arg);
    return 0;
}

TEST(siblings_do_not_see_each_others, "R31")
{
    int a;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_local_bind(&s, &key, &a), 0);
    for (int i = 0; i < 50; i++) {
        CHECK_EQ(roost_spawn(&s, rebind_in_my_own_scope, &a), 0);
    }
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(roost_local_get(&key) == NULL);
}

static int bind_anothers(void *arg)
{
    CHECK_EQ(roost_local_bind((roost_scope *)arg, &key, arg), -EPERM);
    CHECK(roost_local_get(&key) == NULL);
    return 0;
}

TEST(only_the_opener_binds, "R31 R33")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_spawn(&s, bind_anothers, &s), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(bad_bindings_are_refused, "R2")
{
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_local_bind(&s, NULL, &s), -EINVAL);
    CHECK_EQ(roost_local_bind(NULL, &key, &s), -EINVAL);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST_VIRTUAL(a_handle_and_options_keep_the_locals, "R31")
{
    int a;
    struct look k = {.key = &key, .d = ROOST_MS};
    roost_scope s;
    roost_task t;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_local_bind(&s, &key, &a), 0);
    CHECK_EQ(SPAWN_OPTS(&s, look, &k, .handle = &t, .priority = ROOST_HIGH,
                        .flags = ROOST_PIN),
             0);
    CHECK_EQ(roost_join(&t, NULL), 0);
    CHECK(k.first == &a);
    CHECK(k.last == &a);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

TEST(many_keys_are_kept_apart, "R31")
{
    enum { N = 100 };
    static roost_local keys[N];
    static int values[N];
    roost_scope s;
    int wrong = 0;

    roost_scope_open(&s, NULL);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(roost_local_bind(&s, &keys[i], &values[i]), 0);
    }
    for (int i = 0; i < N; i++) {
        wrong += roost_local_get(&keys[i]) != &values[i];
    }
    CHECK_EQ(wrong, 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}

static int bind_deeper(void *arg)
{
    int depth = *(int *)arg - 1;
    roost_scope s;

    CHECK(roost_local_get(&key) == arg);
    if (depth == 0) {
        return 0;
    }
    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_local_bind(&s, &key, &depth), 0);
    CHECK_EQ(roost_spawn(&s, bind_deeper, &depth), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
    CHECK(roost_local_get(&key) == arg);
    return 0;
}

/* In place at close or not, each task has its own. */
TEST(each_level_of_a_tree_has_its_own, "R30 R31")
{
    int depth = 200;
    roost_scope s;

    roost_scope_open(&s, NULL);
    CHECK_EQ(roost_local_bind(&s, &key, &depth), 0);
    CHECK_EQ(roost_spawn(&s, bind_deeper, &depth), 0);
    CHECK_EQ(roost_scope_close(&s, 0), 0);
}
