/*
 * consumer.c - a stranger's program: includes what was installed, links what
 * was installed, and runs 42 tasks. It has functions that are called as some
 * inside the library are.
 */
#include <roost/roost.h>
#include <stdio.h>

#define TASKS 42

int task_run(void *arg);
int wait_begin(int n);
void misuse(void);

int task_run(void *arg)
{
    *(int *)arg = wait_begin(0);
    return 0;
}

int wait_begin(int n)
{
    return n + 1;
}

void misuse(void)
{
    puts("called by the library");
}

static int run_all(void *arg)
{
    int *done = arg;
    int rc;

    ROOST_SCOPE(s, rc, .timeout = 60 * ROOST_S) {
        for (int i = 0; i < TASKS; i++) {
            roost_spawn(s, task_run, &done[i]);
        }
    }
    return rc;
}

int main(void)
{
    int done[TASKS] = {0};
    int count = 0;

    if (roost_run(run_all, done, NULL) != 0) {
        return 1;
    }
    for (int i = 0; i < TASKS; i++) {
        count += done[i];
    }
    printf("%d of %d tasks\n", count, TASKS);
    return 0;
}
