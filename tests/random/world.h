/*
 * world.h - what the operations of a random program work on, and the oracles:
 * what must hold whatever the program and the order of events are.
 *
 * All of it is one thread's: the simulation's. Between two calls of the library
 * nothing else runs, so a count beside a call is exact.
 */
#ifndef RANDOM_WORLD_H
#define RANDOM_WORLD_H

#include "task.h"

/* What a wait waits for, for the look whether it could go on. */
enum wait_kind {
    WAIT_NONE,
    WAIT_RECV,
    WAIT_SEND,
    WAIT_SEM,
    WAIT_LOCK,
    WAIT_READ,
    WAIT_WRITE,
    WAIT_EVENT,
    WAIT_LATCH,
    WAIT_BARRIER,
    WAIT_ONESHOT,
    WAIT_LIMITER,
    WAIT_JOIN,
};

struct wait {
    enum wait_kind kind;
    unsigned index, n;
    bool plain; /* settled is who is a task: it may be about to go on */
    const struct handle *handle;
};

struct item {
    uint32_t number, sender, order;
};

struct world {
    const struct program *p;
    unsigned fuel;
    unsigned progress; /* operations that have ended */
    unsigned settled;  /* ends of its own waits for all others */
    char said[200];    /* the first oracle that said no; "" none */
    int said_at;       /* at which operation */
    uint64_t log;      /* a hash of what happened */
    bool softly;       /* there was a soft cancel */
    bool outside;      /* descriptors took part: it cannot be replayed */
    unsigned starts_used, items_used, fails_used;
    struct start starts[STARTS_MAX];
    struct {
        uint8_t sent, received, dropped, refused;
    } items[ITEMS_MAX];
    uint8_t reports[FAILS_MAX], reports_due[FAILS_MAX];

    struct wait waits[WAITS_MAX];
    unsigned waits_used;

    roost_chan *chan[CHANS];
    bool chan_closed[CHANS];
    roost_sem sem[2];
    unsigned permits[2]; /* free */
    roost_mutex mutex[2];
    const struct task *owner[2];
    roost_cond cond;
    roost_rwlock rwlock;
    unsigned readers, writers;
    roost_limiter limiter;
    unsigned total, tokens;
    roost_rate rate;
    unsigned taken;
    roost_event event[2];
    unsigned sets[2]; /* how often it was set */
    bool is_set[2];
    roost_latch latch;
    unsigned latch_count;
    bool latch_open;
    roost_barrier barrier;
    unsigned leaders, followers;
    bool aborted;
    roost_once once;
    unsigned once_done;
    int once_status;
    roost_oneshot oneshot;
    bool oneshot_set;
    roost_broadcast *broadcast;
    unsigned published;
    roost_watch *watch;
    unsigned watched;
    int pipe[2];
    unsigned piped_in, piped_out;
};

extern struct world *world; /* the one that runs */
extern roost_local world_keys[KEYS];

/* --- world.c --- */
int world_init(struct world *w, const struct program *p);
void world_destroy(struct world *w);
/* After the run, and before it is destroyed. */
void world_judge(struct world *w);
/* The main task; arg: the world. */
int world_main(void *arg);
void world_report(const roost_errors *e, const char *task, void *ctx);
void world_drop_item(void *item);

/* An oracle: what must be true, at which operation. */
bool hold(bool is, int at, const char *said);
void note(uint64_t value);
/* A status of its own: each is given once. 0: they are used up. */
int new_failure(void);

/* --- run.c: how operations are carried out --- */
/* Those from..to: 0, or what to unwind with. */
int run_ops(struct task *t, unsigned from, unsigned to);
int run_body(struct task *t, unsigned at);
const struct op *op_at(unsigned at);
/* The one behind it, or behind its body. */
unsigned op_next(unsigned at);
struct place *place_up(const struct task *t, unsigned n);
/* Closes the innermost scope of a task: its status, which was judged. */
int place_close(struct task *t, struct place *p, unsigned at, int body);
/* A new task's own record of itself. */
void task_init(struct task *t, struct start *st);

bool await_openly(const struct task *t);
/* The deadline that operand b names. */
roost_ns await_deadline(const struct task *t, const struct op *o);
unsigned await_begin(const struct task *t, enum wait_kind kind, unsigned index,
                     unsigned n);
void await_end(unsigned slot);
/* Judges a wait's status: 0 to go on, or what to unwind with. */
int await_over(struct task *t, unsigned at, int rc, roost_ns deadline);
/* The same of a call that has children: a stretch of roost_shield does not
 * cover those. */
int await_children(struct task *t, unsigned at, int rc);
/* Are all who wait rightly waiting? Called when everybody does. */
void waits_judge(void);

/* --- errors --- */
void leaves_add(struct leaves *to, int status);
void leaves_join(struct leaves *to, const struct leaves *from);
/* What a task that returns status hands on. */
void leaves_of(const struct task *t, int status, struct leaves *out);

/* --- faults.c --- */
void faults_begin(enum fault_kind kind, unsigned first, bool sticky);
void faults_end(void);
unsigned faults_hit(void); /* how many calls were refused since */
long faults_blocks(void);  /* allocated and not freed, since the start */
long faults_pages(void);   /* mapped and not unmapped */

#define OP(name, function, block, weight, text)                                \
    int function(struct task *t, unsigned at);
#include "ops.def"
#undef OP

#endif
