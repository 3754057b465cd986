/*
 * model.h - what a model is written with. See README.md for an example.
 *
 * A model is up to 7 threads of a few operations each on the real code, a
 * setup before them and a check after them, both alone. The explorer runs it
 * again and again, each time under another schedule and with other stale
 * values read, until all within the bounds were seen or the budget is spent.
 * Each run must start from the same state: setup makes everything anew.
 */
#ifndef ROOST_MODEL_H
#define ROOST_MODEL_H

#include "model_atomic.h"

enum { MODEL_THREADS = 7 };

/* When the deadline of a futex wait may fire. */
enum {
    MODEL_TIMEOUT_ANY,  /* at any point, a few times a run */
    MODEL_TIMEOUT_IDLE, /* only when nothing else can run */
    MODEL_TIMEOUT_NEVER /* a wait that only a deadline ends is a deadlock */
};

enum {
    MODEL_EINTR = 1,    /* futex waits may return -EINTR */
    MODEL_ONE_FORM = 2, /* the symmetric barrier only */
    MODEL_NOMEM = 4,    /* one allocation a run may fail, each in turn */
    MODEL_OWN_TLS = 8   /* other threads use addresses of thread-locals */
};

struct model {
    const char *name;
    void (*setup)(void);
    void (*threads[MODEL_THREADS])(void);
    void (*check)(void);
    unsigned preemptions; /* depth-first: at most so many (0: 2) */
    unsigned weak;        /* stale reads and late stores a run (0: 2) */
    unsigned steps;       /* more accesses are a livelock (0: 2000) */
    unsigned timeouts;
    unsigned flags;
    uint64_t runs; /* budget of each strategy (0: MODEL_RUNS) */
    /* Litmus: bits of model_outcome that must occur, that must never. */
    uint64_t must_see;
    uint64_t must_not_see;
    /* A planted bug: some run must fail with a text that contains this. */
    const char *must_fail;
    struct model *next; /* the explorer's */
};

/* A program of large models defines its own before the include. */
#ifndef MODEL_RUNS
#define MODEL_RUNS 20000
#endif

/* MODEL(name, .threads = {owner, thief}, ...) at file scope, at the end. */
#define MODEL(id, ...)                                                         \
    static struct model model_##id = {.name = #id, __VA_ARGS__};               \
    __attribute__((constructor)) static void register_##id(void)               \
    {                                                                          \
        model_register(&model_##id, MODEL_RUNS);                               \
    }                                                                          \
    struct model
void model_register(struct model *m, uint64_t runs);

/* What must hold; also in threads. Ends the run. */
#define MODEL_CHECK(cond)                                                      \
    ((cond) ? (void)0 : model_failed(__FILE__, __LINE__, #cond))
_Noreturn void model_failed(const char *file, int line, const char *what);

/* The calling thread's index in .threads; -1 in setup and check. */
int model_self(void);
/* An input: 0..n-1, each is tried. */
unsigned model_choose(unsigned n);
/* Marks litmus outcome 0..63 as seen. */
void model_outcome(unsigned bit);
/* A line in the trace of a failing run. */
void model_note(const char *text, int64_t value);

/* Memory whose life is watched: an access after model_free, or one that is
 * not ordered before it, is an error. Zeroed. NULL only under MODEL_NOMEM. */
void *model_alloc(size_t size);
void model_free(void *p);
/* How many blocks are not freed. */
unsigned model_live(void);
/* The same for storage of the model's own: dead until born again. */
void model_dead(void *p, size_t size);
void model_born(void *p, size_t size);

/* A task's fiber, set aside and resumed: park waits for one unpark (which may
 * come first); a second unpark before it is an error. Ordered like a queue:
 * what was before unpark is before the return from park. */
void model_park(void);
void model_unpark(int thread);

/* State that is neither in setup nor an access: [p, p + size) is put back to
 * what it was before the first run. Call from setup; may be repeated. Not for
 * thread-locals: each thread has its own, and they begin anew in each run. */
void model_static(void *p, size_t size);

/* The model's clock: starts at 1000; a deadline that fires moves it, and so
 * does each look of the real code at it, by `step` (0 unless set in setup). */
int64_t model_now(void);
void model_advance(int64_t ns);
void model_clock_step(int64_t ns);

#endif
