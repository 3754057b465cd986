/*
 * task.h - a running task (frame) and one with a name, handle, priority or
 * copy (task_desc). See task.c, handle.c.
 */
#ifndef ROOST_TASK_INTERNAL_H
#define ROOST_TASK_INTERNAL_H

#include "cancel.h"
#include "chain.h"
#include "deque.h"
#include "error.h"
#include "fiber.h"
#include "wait.h"
#include <roost/task.h>
#include <string.h>

/* What roost_scope_reason tells of a closed scope. */
struct reason {
    uint32_t kind;
    int32_t status;
    char task[32];
    char scope[32];
};

/*
 * The identity of a running task: a record on the stack that it runs on, also
 * when it runs in place on its parent's. A plain start writes the first 32
 * bytes; the rest is valid as the marks say.
 */
struct frame {
    struct scope *scope;  /* O: its innermost open scope */
    struct env *env;      /* O: bindings it sees */
    struct scope *target; /* I: where it was spawned into */
    uint32_t marks;       /* O: F_ bits */
    a32 linked;           /* L(target) to set, and at its start: LINK_ bits */
    /* --- as marked --- */
    uint64_t epoch;         /* O: F_EPOCH: not cancelled as of this epoch */
    struct waiter waiter;   /* linked */
    struct list link;       /* L(target): linked, in target->tasks */
    struct list scopes;     /* L(target): linked: its own attached scopes */
    struct scope *shield;   /* O: F_SHIELDED: it and all outside do not count */
    roost_errors *kept;     /* O: F_KEPT */
    struct scope *outward;  /* O: F_CULPRIT: seen from here, at that epoch, */
    struct scope *culprit;  /* O: F_CULPRIT: this is what chain.h calls so */
    uint64_t culprit_epoch; /* O: F_CULPRIT */
    struct reason reason;   /* O: F_REASON: of the scope closed last */
    struct list held;       /* O: F_HELD: struct held */
    union {
        struct task_desc *desc; /* I: F_DESC */
        int32_t when;           /* I: F_WHEN: how its case ended */
    };
};

_Static_assert(offsetof(struct frame, env) == 8 &&
                   offsetof(struct frame, target) == 16 &&
                   offsetof(struct frame, epoch) == 32,
               "task_frame stores pairs");

/* What others may know of a frame; marks are the task's own. */
enum {
    LINK_FOUND = 1, /* it stands in target->tasks: cancellers can find it */
    LINK_DESC = 2,  /* desc is valid */
};

enum {
    F_EPOCH = 1u << 0,     /* epoch is valid and every timer is armed */
    F_LEFT = 1u << 1,      /* its last offloaded call was abandoned */
    F_KEPT = 1u << 2,      /* kept is valid */
    F_DESC = 1u << 3,      /* desc is valid */
    F_SHIELDED = 1u << 4,  /* between roost_shield_begin and _end */
    F_CANCELLED = 1u << 5, /* it was effectively cancelled at some time */
    F_PRIORITY = 1u << 6,  /* its children inherit a priority */
    F_HOOK = 1u << 7,      /* runs a hook: waiting is -EPERM */
    F_ENV_OWNED = 1u << 8, /* env is counted: dropped at the end */
    F_REASON = 1u << 9,    /* reason is valid */
    F_HELD = 1u << 11,     /* held is valid */
    F_CULPRIT = 1u << 10,  /* outward, culprit, culprit_epoch are valid */
    F_LOOK = 1u << 28,     /* and above: looks at the clock, see wait.c */
    F_AWAY = 1u << 12,     /* it may end without a worker: see region_back */
    F_WHEN = 1u << 13,     /* when is valid */
    F_OPEN_SLOW = F_PRIORITY | F_HOOK, /* open takes the long way */
    /* close takes the long way */
    F_CLOSE_SLOW = F_KEPT | F_REASON | F_HOOK | F_CULPRIT | F_SHIELDED,
    /* spawn takes the long way; S_PRIORITY says it of a scope opened here */
    F_SPAWN_SLOW = F_PRIORITY | F_HOOK,
};

/* That of a task which begins, of target s. No marks, not linked. */
static inline void task_frame(struct frame *f, struct scope *s, struct env *env)
{
    pair_store(&f->scope, (uintptr_t)s, (uintptr_t)env);
    pair_store(&f->target, (uintptr_t)s, 0);
}

/* Anything to do at its end? Both words in one look. */
static inline bool frame_marked(const struct frame *f)
{
    uint64_t both;

    memcpy(&both, &f->marks, sizeof(both));
    return both != 0;
}

#define TASK_NAME_SIZE 32
/* A task that needs more than an entry: from the allocator. */
struct task_desc {
    struct work_node node; /* whoever queues it */
    roost_fn fn;           /* I */
    void *arg;             /* I */
    struct scope *scope;   /* I: where it is counted */
    struct env *env;       /* I: counted; the frame's once it runs */
    roost_task *handle;    /* L(lock) */
    a32 lock;              /* M: of handle, see handle.c */
    struct waiter *joiner; /* L(handle): it runs for its sake, see join.c */
    unsigned flags;        /* I: ROOST_ task flags, D_ bits; O at its end */
    int priority;          /* I */
    bool bare;             /* I: without a copy: a worker may keep it */
    struct fiber *fiber;   /* I: of its own stack size, or NULL */
    void (*done)(void *arg, int status); /* I: group */
    void *done_arg;                      /* I */
    struct scope *base;        /* I: with a handle or relay, its hidden scope */
    aptr frame;                /* S the task; T(C4): with a handle */
    void *context;             /* I: of who made it: started.c, background.c */
    uint64_t flow;             /* I: for traces: the spawn's arrow, or 0 */
    char name[TASK_NAME_SIZE]; /* I */
    struct scope base_room;    /* storage of base */
    _Alignas(16) unsigned char copy[]; /* arg, if copied */
};

enum {
    D_LIMITED = 1u << 16, /* counted by the scope's limit */
    D_POSTED = 1u << 17,  /* counted as outside work until it starts */
    D_RACER = 1u << 18,   /* its success may win a race */
    D_RELAY = 1u << 19,   /* started.c: scope is its relay */
    D_BORROWS = 1u << 21, /* env is not counted: its scope outlives the task */
    D_ENDED = 1u << 20,   /* its handle knows that it has ended */
};

/* The frame of the running task; NULL on a plain thread or in the loop. */
struct frame *frame_current(void);

/* copy > 0: arg points at so many bytes. NULL: no memory. */
struct task_desc *desc_new(roost_fn fn, const void *arg, size_t copy);
/* Copy what opts ask for into d. 0, -EINVAL or -ENOMEM. */
int desc_options(struct task_desc *d, const roost_task_opts *opts);
/* Give it the handle and what that needs. d->scope is set. */
void desc_handle(struct task_desc *d, roost_task *handle);
void desc_free(struct task_desc *d);
void desc_free_spare(struct worker *w); /* those that w keeps */
/* The entry of a descriptor: fn of a struct entry. */
int desc_run(void *desc);
static inline void desc_entry(struct task_desc *d, struct entry *out)
{
    *out = (struct entry){desc_run, d, scope_public(d->scope), NULL};
}
bool task_opts_valid(const void *arg, const roost_task_opts *opts);
/* Count d in d->scope, and queue it as its priority and the limit say. 0 or
 * what limit_enter says; then d is still the caller's. */
int desc_spawn(struct task_desc *d);
/* Queue a descriptor that is counted already. Any thread. */
void desc_queue(struct task_desc *d);

/* Children of one scope that a loop has run, one after the other, and not yet
 * counted: while the next one of the same runs, nobody can tell. */
struct ended {
    struct scope *scope;
    uint32_t n;
};

/* Run an entry on the current stack, from the loop. ended: of no other scope
 * than the entry's; NULL: count it at once. */
void task_run(struct worker *w, struct fiber *fiber, struct entry *e,
              struct ended *ended);
void task_count_ended(struct ended *ended);
/* For a descriptor with a stack of its own: from the loop, and on it. */
void task_run_sized(struct worker *w, struct task_desc *d);
void task_run_first(struct fiber *self);
/* The rare part of a task's end, common to loop and close: failure, links,
 * kept errors. Not the counting. */
void task_finish(struct frame *f, int status);
/* n children less in s: count, and whoever must be woken. */
void task_uncount(struct scope *s, uint32_t n);
/* True if the entry is not to run (R29): ROOST_SKIP and cancelled. */
bool task_skipped(struct scope *s);
/* Such an entry, taken from its queue: end it. Not the counting. */
void task_skip(struct entry *e);
/* In a forked child: leave the process with the status (R64). */
_Noreturn void task_forked_end(int status);

const char *task_name_of(const struct frame *f);

/* --- local.c --- */
struct env *env_hold(struct env *env); /* NULL is fine */
void env_drop(struct env *env);
/* Close of a scope that bound something. */
void env_unbind(struct scope *s, struct frame *f);

#endif
