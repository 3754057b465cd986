/*
 * program.c - stands still in known places, for those who look from outside:
 * two tasks that wait, each in a function of its own, one that computes, and
 * main's, which closes the scope of them. Says "ready" and stays until it is
 * killed; with an argument it crashes then.
 */
#include <roost/roost.h>
#include <stdio.h>
#include <stdlib.h>

static roost_event never;
static roost_chan *empty;
static volatile int counted;

static __attribute__((noinline)) int wait_for_the_bus(void)
{
    return roost_event_wait(&never) + counted;
}

static int reader(void *arg)
{
    (void)arg;
    return wait_for_the_bus() + counted;
}

static __attribute__((noinline)) int wait_for_godot(void)
{
    int item;

    return roost_chan_recv(empty, &item) + counted;
}

static int writer(void *arg)
{
    (void)arg;
    return wait_for_godot() + counted;
}

static __attribute__((noinline)) void count_the_stars(void)
{
    while (!roost_cancelled()) {
        counted = !counted;
    }
}

static int busy(void *arg)
{
    (void)arg;
    printf("ready\n");
    fflush(stdout);
    count_the_stars();
    return 0;
}

static int busy_crash(void *arg)
{
    (void)arg;
    abort();
}

static int run_all(void *crash)
{
    int rc;

    ROOST_SCOPE(s, rc, .name = "requests") {
        roost_spawn_opts(s, reader, NULL, &(roost_task_opts){.name = "reader"});
        roost_spawn_opts(s, writer, NULL, &(roost_task_opts){.name = "writer"});
        if (roost_settle() != 0) {
            break;
        }
        roost_spawn_opts(s, crash == NULL ? busy : busy_crash, NULL,
                         &(roost_task_opts){.name = "busy"});
    }
    return rc;
}

int main(int argc, char **argv)
{
    roost_opts opts = {
        .workers = 2, .name = "station", .flags = ROOST_DUMP_ON_QUIT};

    (void)argv;
    empty = roost_chan_new(sizeof(int), 0);
    if (empty == NULL || roost_event_init(&never) != 0) {
        return 1;
    }
    return roost_run(run_all, argc > 1 ? &opts : NULL, &opts) == 0 ? 0 : 1;
}
