/*
 * fd_table_model.c - the real sched/fd_table.c: threads that need entries of
 * the table at the same time.
 *
 * Would catch: two entries for one descriptor; one that a thread may see
 * before it is zero (FT1); a level lost or never freed that lost the race;
 * what a refused allocation leaves behind.
 */
// MODEL-SOURCES: sched/fd_table.c
#define MODEL_RUNS 4000
#include "base/alloc.h"
#include "fd.h"
#include "model.h"

static struct fd *got[3]; /* outside the model */

static void begin(void)
{
    got[0] = got[1] = got[2] = NULL;
}

/* As the real one: zero, which is written by who asks. */
void *alloc_aligned(size_t align, size_t size)
{
    char *p = model_alloc(size);
    struct fd *fds = (struct fd *)(void *)p;

    (void)align;
    if (p != NULL && size >= (size_t)16 * 1024) {
        aptr_init((aptr *)(void *)p, NULL);
    } else if (p != NULL) {
        plain_write(fds[3].in, NULL);
        plain_write(fds[4].in, NULL);
    }
    return p;
}

static void use(int number)
{
    struct fd *f = fd_get(number);

    got[model_self()] = f;
    if (f != NULL) {
        MODEL_CHECK(fd_find(number) == f);
        MODEL_CHECK(plain_read(f->in) == NULL);
    }
}

static void uses_3(void)
{
    use(3);
}

static void uses_4(void)
{
    use(4);
}

static void finds_3(void)
{
    struct fd *f = fd_find(3);

    MODEL_CHECK(f == NULL || plain_read(f->in) == NULL);
}

/* Two levels, and no more: whoever came second gave his back. */
static void one_table(void)
{
    MODEL_CHECK(got[0] == NULL || got[1] == NULL || got[1] - got[0] <= 1);
    MODEL_CHECK(model_live() <= 2);
}

MODEL(table_same, .setup = begin, .threads = {uses_3, uses_3, finds_3},
      .check = one_table, .preemptions = 3, .flags = MODEL_ONE_FORM);
MODEL(table_beside, .setup = begin, .threads = {uses_3, uses_4},
      .check = one_table, .preemptions = 3,
      .flags = MODEL_ONE_FORM | MODEL_NOMEM);
