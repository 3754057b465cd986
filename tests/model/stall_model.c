/*
 * stall_model.c - the real sched/stall.c: a worker that turns from task to
 * task, and the watch that names the one that holds it.
 *
 * Would catch: a name made of two tasks' (Y1), or one of a turn that was over
 * when it was said, or with the function of another; a turn reported twice.
 */
// MODEL-SOURCES: sched/stall.c
#include "guest.h"
#include "model.h"
#include "runtime.h"
#include "sim.h"
#include "worker.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_FN = 16 }; /* in no program */

static struct runtime rt;
static struct worker worker;
static struct carrier carrier;
static _Alignas(struct task_desc) char descs[3][sizeof(struct task_desc)];
static struct frame frame[3];
static int said[3]; /* how often of each task: outside the model */

void sim_step(struct sim *s, unsigned points)
{
    (void)s;
    (void)points;
}

bool guest_away(const struct runtime *r)
{
    (void)r;
    return false;
}

/* In place of the C library's, which the real file prints with. */
int dprintf(int fd, const char *format, ...)
{
    va_list args;
    const char *name, *place;
    char own[24];

    MODEL_CHECK(fd == 2);
    if (strstr(format, "held worker") == NULL) {
        return 0;
    }
    va_start(args, format);
    name = va_arg(args, const char *);
    (void)va_arg(args, unsigned);     /* which worker, */
    (void)va_arg(args, long long);    /* how long, */
    (void)va_arg(args, const char *); /* and how */
    place = va_arg(args, const char *);
    va_end(args);
    for (size_t i = 1; name[i] != '\0'; i++) {
        MODEL_CHECK(name[i] == name[0]);
    }
    MODEL_CHECK(name[0] == 'a' || name[0] == 'b' || name[0] == 'c');
    snprintf(own, sizeof(own), ", in 0x%x",
             FIRST_FN + (unsigned)(name[0] - 'a'));
    MODEL_CHECK(strcmp(place, own) == 0);
    MODEL_CHECK(++said[name[0] - 'a'] == 1);
    return 0;
}

static void begin(void)
{
    memset(&rt, 0, sizeof(rt));
    memset(&worker, 0, sizeof(worker));
    memset(&carrier, 0, sizeof(carrier));
    memset(said, 0, sizeof(said));
    rt.workers = &worker;
    rt.worker_count = 1;
    rt.opts.stall = 1;
    worker.rt = &rt;
    worker.carrier = &carrier;
    for (size_t i = 0; i < 3; i++) {
        struct task_desc *d = (struct task_desc *)(void *)descs[i];

        memset(d->name, 'a' + (int)i, i == 1 ? 15 : 10);
        d->fn = (roost_fn)(FIRST_FN + i);
        frame[i].marks = F_DESC;
        frame[i].desc = d;
    }
    model_clock_step(1); /* each look comes later */
}

static void turns(void)
{
    for (int i = 0; i < 3; i++) {
        stall_turn(&worker, &frame[i], NULL);
    }
}

static void looks(void)
{
    for (int i = 0; i < 4; i++) {
        (void)stall_look(&rt);
    }
}

MODEL(names, .setup = begin, .threads = {turns, looks}, .preemptions = 3,
      .flags = MODEL_ONE_FORM);
