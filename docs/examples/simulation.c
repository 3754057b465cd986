/*
 * simulation.c - finding a lost update and a deadlock by simulating the program
 * from one seed after the other.
 *
 * Accounts, between which money is moved. Two things are wrong with it: a
 * deposit forgets what others do while it asks the bank, and a transfer locks
 * two accounts in the order in which it is told of them. On threads either may
 * go well for years.
 */
#include <roost/roost.h>
#include <stdio.h>
#include <string.h>

struct account {
    roost_mutex lock;
    int balance;
};

static struct account a, b;
static bool careful; /* the program as it should be */

/* --- a lost update --- */

static int ask_the_bank(void)
{
    return roost_sleep(ROOST_MS);
}

static int deposit(void *arg)
{
    struct account *to = arg;
    int balance;

    if (careful) {
        roost_mutex_lock(&to->lock);
    }
    balance = to->balance;
    ask_the_bank();
    to->balance = balance + 100;
    if (careful) {
        roost_mutex_unlock(&to->lock);
    }
    return 0;
}

static int deposits(void *arg)
{
    int rc;

    (void)arg;
    a.balance = 0;
    ROOST_SCOPE(s, rc) {
        roost_spawn(s, deposit, &a);
        roost_spawn(s, deposit, &a);
    }
    return rc < 0 ? rc : a.balance == 200 ? 0 : ROOST_USER(1);
}

/* --- a deadlock --- */

struct transfer {
    struct account *from, *to;
};

static int transfer(void *arg)
{
    struct transfer *t = arg;
    bool turned = careful && t->to < t->from; /* always the same one first */
    struct account *first = turned ? t->to : t->from;
    struct account *second = turned ? t->from : t->to;

    roost_mutex_lock(&first->lock);
    roost_mutex_lock(&second->lock);
    t->from->balance -= 100;
    t->to->balance += 100;
    roost_mutex_unlock(&second->lock);
    roost_mutex_unlock(&first->lock);
    return 0;
}

static int transfers(void *arg)
{
    struct transfer there = {&a, &b};
    struct transfer back = {&b, &a};
    int rc;

    (void)arg;
    ROOST_SCOPE(s, rc) {
        roost_spawn(s, transfer, &there);
        roost_spawn(s, transfer, &back);
    }
    return rc;
}

/* --- hunting --- */

static void hunt(const char *what, roost_fn program)
{
    roost_opts opts = {.backend = ROOST_SIM};

    for (opts.seed = 1; opts.seed <= 1000; opts.seed++) {
        if (roost_run(program, NULL, &opts) < 0) {
            printf("%s: found\n", what);
            return;
        }
    }
    printf("%s: none within 1000 seeds\n", what);
}

int main(int argc, char **argv)
{
    roost_mutex_init(&a.lock);
    roost_mutex_init(&b.lock);
    if (argc > 1) { /* as the environment says: for ./run explore */
        roost_fn program =
            strcmp(argv[1], "deposits") == 0 ? deposits : transfers;

        return roost_run(program, NULL, NULL) < 0;
    }
    hunt("lost update", deposits);
    careful = true;
    hunt("lost update, with a lock", deposits);
    hunt("deadlock, in one order", transfers);
    return 0;
}
