/*
 * tree_test.c - random trees of scopes under random cancels, from a seed.
 *
 * Would catch: a child that outlives its scope, a spawn that was accepted and
 * never ran or ran twice, a wait that was delivered a cancel where none can be
 * seen, a status that the rules do not allow, a tree that never comes home.
 * MODEL   Each node of the tree is a task or a block: it opens a scope with
 *         random options, does a few random things, and closes it. What it may
 *         then get as a status is computed from what has been done to it: the
 *         oracle knows each failure and each cancel of each node.
 * USE     ROOST_SEED=n repeats a run that has failed.
 */
#include "test.h"

enum { NODES = 160, TREES = 250 };

struct tree;

struct node {
    struct tree *t;
    struct node *parent;
    roost_scope s;
    unsigned seed;
    unsigned flags;
    int depth;
    bool timed;
    int spawned, ran; /* children */
    int ended;        /* children; all before the close returns */
    int open;         /* 1 from open to the end of close */
    int cancels;      /* negative: with a status; counted when asked for */
    int negative;
    int failures; /* children or body that failed for a reason */
};

struct tree {
    unsigned seed;
    int used;
    struct node nodes[NODES];
    int all_spawned, all_ran;
};

static unsigned draw(struct node *n, unsigned below)
{
    n->seed = n->seed * 1664525u + 1013904223u;
    return (n->seed >> 8) % below;
}

static struct node *new_node(struct tree *t, struct node *parent)
{
    int i = test_add(&t->used, 1) - 1;
    struct node *n;

    if (i >= NODES) {
        return NULL;
    }
    n = &t->nodes[i];
    n->t = t;
    n->parent = parent;
    n->depth = parent == NULL ? 0 : parent->depth + 1;
    n->seed = t->seed + (unsigned)i * 7919u;
    return n;
}

/* Could a cancel be seen from inside n? Shields stop what is further out. */
static bool may_be_cancelled(const struct node *n)
{
    for (; n != NULL; n = n->parent) {
        if (test_get(&n->cancels) > 0 || n->timed ||
            test_get(&n->failures) > 0) {
            return true;
        }
        if (n->flags & ROOST_SHIELD) {
            return false;
        }
    }
    return false;
}

static void check_wait(const struct node *n, int rc)
{
    CHECK(rc == 0 || rc == -ECANCELED);
    CHECK(rc == 0 || may_be_cancelled(n));
}

static int lives(struct node *n);

static int is_child(void *arg)
{
    struct node *n = arg;
    int rc;

    CHECK_EQ(test_get(&n->parent->open), 1);
    test_add(&n->parent->ran, 1);
    test_add(&n->t->all_ran, 1);
    rc = lives(n);
    /* Told before the task ends, as the runtime will act on it. */
    if (rc < 0 && rc != -ECANCELED) {
        test_add(&n->parent->failures, 1);
    }
    CHECK_EQ(test_get(&n->parent->open), 1);
    test_add(&n->parent->ended, 1);
    return rc;
}

static void spawns(struct node *n)
{
    struct node *child = n->depth < 8 ? new_node(n->t, n) : NULL;
    int rc;

    if (child == NULL) {
        return;
    }
    /* Counted first: the child may be over before spawn returns. */
    test_add(&n->spawned, 1);
    test_add(&n->t->all_spawned, 1);
    rc = roost_spawn(&n->s, is_child, child);
    CHECK_EQ(rc, 0);
}

/* Some scope further out, which the caller is inside of. */
static struct node *someone(struct node *n)
{
    for (unsigned up = draw(n, 4); up > 0 && n->parent != NULL; up--) {
        n = n->parent;
    }
    return n;
}

static void acts(struct node *n)
{
    struct node *other = someone(n);

    switch (draw(n, 12)) {
    case 0:
        test_add(&other->cancels, 1);
        roost_scope_cancel(&other->s, 0);
        break;
    case 1:
        test_add(&other->cancels, 1);
        test_add(&other->negative, 1);
        roost_scope_cancel(&other->s, -EBADMSG);
        break;
    case 2:
        test_add(&other->cancels, 1);
        roost_scope_cancel_soft(&other->s, 20 * ROOST_US);
        break;
    case 3:
    case 4:
        check_wait(n, roost_sleep(draw(n, 30) * ROOST_US));
        break;
    case 5:
        check_wait(n, roost_yield());
        break;
    case 6:
        check_wait(n, roost_scope_join(&n->s));
        break;
    default:
        spawns(n);
        break;
    }
}

/* R38, as far as it can be told from outside. */
static void check_status(const struct node *n, int rc)
{
    CHECK(rc == 0 || rc == -ECANCELED || rc == -ETIMEDOUT || rc == -EBADMSG ||
          rc == -EPROTO);
    if (test_get(&n->failures) > 0) { /* (1) beats everything */
        CHECK(rc == -EPROTO || rc == -EBADMSG || rc == -ETIMEDOUT);
    }
    if (rc == -ETIMEDOUT) {
        CHECK(test_get(&n->failures) > 0 ||
              (n->timed && !(n->flags & ROOST_MOVE_ON)));
    }
    if (rc == -EBADMSG) {
        CHECK(test_get(&n->negative) > 0 || test_get(&n->failures) > 0);
    }
    if (rc == -ECANCELED) {
        CHECK(!(n->flags & ROOST_SHIELD) && may_be_cancelled(n->parent));
    }
}

static int lives(struct node *n)
{
    static const unsigned choices[] = {
        0, 0, 0, ROOST_SHIELD, ROOST_FINISH, ROOST_MOVE_ON};
    unsigned steps;
    int body = 0;
    int rc;

    n->flags = choices[draw(n, 6)];
    n->timed = draw(n, 5) == 0;
    roost_scope_open(
        &n->s, &(roost_scope_opts){
                   .flags = n->flags,
                   .timeout = n->timed ? (1 + draw(n, 40)) * ROOST_US : 0});
    test_set(&n->open, 1);
    for (steps = 2 + draw(n, 6); steps > 0; steps--) {
        acts(n);
    }
    if (draw(n, 16) == 0) {
        body = -EPROTO;
        test_add(&n->failures, 1);
    }
    rc = roost_scope_close(&n->s, body);
    test_set(&n->open, 0);
    CHECK_EQ(test_get(&n->ended), test_get(&n->spawned));
    CHECK_EQ(test_get(&n->ran), test_get(&n->spawned));
    check_status(n, rc);
    return rc;
}

static struct tree tree;

static void grow(unsigned seed)
{
    struct node *root;

    memset(&tree, 0, sizeof(tree));
    tree.seed = seed;
    root = new_node(&tree, NULL);
    (void)lives(root);
    CHECK_EQ(tree.all_ran, tree.all_spawned);
}

static void grow_many(unsigned first)
{
    const char *text = getenv("ROOST_SEED");
    unsigned seed = text != NULL ? (unsigned)strtoul(text, NULL, 10) : first;

    for (unsigned i = 0; i < TREES; i++) {
        int before = test_get(&test_failures);

        grow(seed + i);
        if (test_get(&test_failures) != before) {
            fprintf(stderr, "ROOST_SEED=%u\n", seed + i);
            return;
        }
    }
}

TEST(random_trees, "R12 R20 R24 R26 R28 R29 R38")
{
    grow_many(1000);
}

TEST_VIRTUAL(random_trees_on_a_virtual_clock, "R12 R20 R26 R38 R65")
{
    grow_many(5000);
}
