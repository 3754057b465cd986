/*
 * flows.c - generators and pipelines, read to the end or left, and background
 * tasks that fail and are started again.
 */
#include "soak.h"

/* ---- streams ------------------------------------------------------------- */

struct generator {
    struct load *l;
    uint64_t n;
    bool fails;
    a64 ended;
};

static int generates(roost_stream *st, void *arg)
{
    struct generator *g = arg;
    int rc = 0;

    for (uint64_t i = 1; i <= g->n && rc == 0; i++) {
        rc = roost_stream_emit(st, &i);
    }
    a64_add(&g->ended, 1, RELAXED);
    return rc == 0 && g->fails ? -EBADMSG : rc;
}

/* To its end, or not. */
static void reads_one(struct load *l)
{
    struct generator g = {.l = l, .n = sized(l, 10, 800), .fails = below(l, 2)};
    uint64_t leave = below(l, 2) ? g.n + 1 : below(l, 10);
    size_t aheads[] = {0, 1, 16, ROOST_UNBOUNDED};
    roost_stream st;
    uint64_t seen = 0;
    uint64_t item = 0;
    int rc = 1;

    HOLDS(l, roost_stream_open(&st, generates, &g, sizeof(item),
                               aheads[below(l, 4)]) == 0);
    while (seen < leave && (rc = roost_stream_next(&st, &item)) == 1) {
        seen++;
        HOLDS(l, item == seen);
    }
    if (leave > g.n) {
        HOLDS(l, seen == g.n);
        HOLDS(l, rc == (g.fails ? -EBADMSG : 0));
    }
    rc = roost_stream_close(&st);
    HOLDS(l, rc == 0 || (g.fails && rc == -EBADMSG));
    HOLDS(l, a64_load(&g.ended, RELAXED) <= 1);
    count(l, STREAMED, seen);
}

struct works {
    struct load *l;
    uint64_t n, made, sum;
};

static int makes(const void *in, void *out, void *ctx)
{
    struct works *w = ctx;

    (void)in;
    if (w->made == w->n) {
        return 0;
    }
    w->made++;
    memcpy(out, &w->made, sizeof(w->made));
    return 1;
}

/* The odd ones only. */
static int filters(const void *in, void *out, void *ctx)
{
    uint64_t number;

    (void)ctx;
    memcpy(&number, in, sizeof(number));
    memcpy(out, in, sizeof(number));
    return number % 7 == 0 && roost_yield() < 0 ? -ECANCELED : number % 2 == 1;
}

static int sums(const void *in, void *out, void *ctx)
{
    struct works *w = ctx;
    uint64_t number;

    (void)out;
    memcpy(&number, in, sizeof(number));
    w->sum += number;
    return 1;
}

static void pipes_through(struct load *l)
{
    struct works w = {.l = l, .n = sized(l, 10, 2000)};
    uint64_t odd = (w.n + 1) / 2;
    roost_stage stages[] = {
        {.fn = makes, .ctx = &w, .out_size = sizeof(uint64_t)},
        {.fn = filters,
         .out_size = sizeof(uint64_t),
         .workers = 1 + below(l, 4),
         .flags = below(l, 2) ? ROOST_ORDERED : 0},
        {.fn = sums, .ctx = &w},
    };

    HOLDS(l, roost_pipeline(stages, 3, NULL) == 0);
    HOLDS(l, w.sum == odd * odd);
    count(l, STREAMED, w.n);
}

void load_streams(struct load *l)
{
    for (unsigned i = sized(l, 1, 20); i > 0; i--) {
        reads_one(l);
        pipes_through(l);
    }
}

/* ---- background tasks ---------------------------------------------------- */

struct service {
    struct load *l;
    roost_latch ended;
    a64 runs, dropped;
    unsigned failures; /* before it succeeds, or for ever */
    unsigned restarts;
};

static int serves(void *arg)
{
    struct service *s = *(struct service **)arg;
    uint64_t before = a64_add(&s->runs, 1, RELAXED);

    if (roost_sleep((roost_ns)(before % 3) * 20 * ROOST_US) != 0) {
        return -ECANCELED;
    }
    return before < s->failures ? roost_fail(-EREMOTEIO, "for the soak") : 0;
}

static void is_dropped(void *arg)
{
    struct service *s = *(struct service **)arg;

    a64_add(&s->dropped, 1, RELAXED);
    (void)roost_latch_down(&s->ended);
}

void load_background(struct load *l)
{
    for (unsigned i = sized(l, 1, 30); i > 0; i--) {
        struct service s = {
            .l = l, .failures = below(l, 6), .restarts = below(l, 6)};
        struct service *at = &s;
        unsigned failed =
            s.failures <= s.restarts ? s.failures : s.restarts + 1;
        unsigned runs = s.failures <= s.restarts ? s.failures + 1 : failed;

        HOLDS(l, roost_latch_init(&s.ended, 1) == 0);
        a64_add(&l->soak->failing, failed, RELAXED);
        HOLDS(l, roost_background(
                     "service", serves, &at,
                     &(roost_background_opts){.restarts = s.restarts,
                                              .copy = sizeof(at),
                                              .drop = is_dropped}) == 0);
        HOLDS(l, roost_latch_wait(&s.ended) == 0);
        HOLDS(l, a64_load(&s.runs, RELAXED) == runs);
        HOLDS(l, a64_load(&s.dropped, RELAXED) == 1);
        roost_latch_destroy(&s.ended);
        count(l, RESTARTS, failed);
    }
}
