/*
 * traced.c - a time line of what a program does: open the file that it is given
 * (else none is written) in ui.perfetto.dev.
 */
#include <errno.h>
#include <roost/roost.h>
#include <stdio.h>

static const char *file = "/dev/null";
static roost_chan *answers; /* of const char * */

struct step {
    const char *name;
    int wait; /* ms */
    int work; /* about so many ms */
};

static int fetch(void *arg)
{
    const struct step *step = arg;
    int rc = roost_sleep(step->wait * ROOST_MS);

    for (volatile int i = 0; i < step->work * 3000000; i++) {
    }
    return rc < 0 ? rc : roost_chan_send(answers, &step->name);
}

static int work(void)
{
    static struct step steps[] = {
        {"user", 1, 1}, {"orders", 1, 2}, {"prices", 4, 1}, {"advice", 99, 0}};
    const char *answer;
    int rc;

    ROOST_SCOPE(s, rc, .name = "handle", .timeout = 8 * ROOST_MS,
                .flags = ROOST_MOVE_ON) { /* too late is no failure */
        for (int i = 0; i < 4; i++) {
            roost_spawn_opts(s, fetch, &steps[i],
                             &(roost_task_opts){.name = steps[i].name});
        }
    }
    while (roost_chan_try_recv(answers, &answer) == 0) {
    }
    return rc;
}

static int start(void *arg)
{
    int rc = roost_trace_start(file);
    int status;

    (void)arg;
    answers = roost_chan_new_opts(sizeof(const char *), 4,
                                  &(roost_chan_opts){.name = "answers"});
    if (answers == NULL) {
        return -ENOMEM;
    }
    if (rc != 0) {
        printf("no trace: %d\n", rc);
    }
    status = work();
    rc = roost_trace_stop();
    roost_chan_free(answers);
    printf("worked: %d, traced: %d\n", status, rc);
    return status;
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        file = argv[1];
    }
    return roost_run(start, NULL, NULL) < 0;
}
