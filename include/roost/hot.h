/*
 * hot.h - a parallel call: fork and join, inlined. Opt-in.
 *
 * What a scope costs beside its tasks is too much where a task is a few dozen
 * instructions. A parallel call has none: it is a function call that may have
 * happened elsewhere by the time its result is asked for.
 *
 *     roost_hot h;
 *
 *     roost_hot_fork(&h, fib, &left);     from here on a thief may run it
 *     fib(&right);
 *     rc = roost_hot_join(&h, fib, &left);     else it is called here
 *
 * It runs in the scopes that its caller was in at the fork, as a part of the
 * calling task: their cancellation and deadlines reach it, their locals are
 * seen, what it spawns into one of them belongs there. Its status is what join
 * returns; no scope records it, and nothing is cancelled for it. What belongs
 * to a task is not shared (locks, which it neither may release for its caller
 * nor take twice; shields; the name), for it may run as one of its own.
 *
 * join is called once for each fork, always (when something fails, too), by the
 * same task, the last fork first, before any scope is closed that was open at
 * the fork: a caller that returns without it leaves its thief a dead stack.
 *
 * Not for what waits: such a call holds its caller back. Spawn it.
 *
 * Price. The program is compiled against the layout of a few structs of the
 * library, which have a number of their own, ROOST_HOT_ABI. It is in the names
 * of the symbols that all goes through: with a library of another layout the
 * program is not linked, or does not start ("undefined symbol:
 * roost_hot_worker_2_"). Recompiling is all that is needed.
 *
 * A thread that carries no worker, hooks, tasks with a priority or behind their
 * shield call the function in join. Under ThreadSanitizer, without
 * membarrier(2), and in a process whose first runtime has more than 8 workers
 * the same is done by the library, out of line.
 *
 * Cost: fork and join in place 70 to 90 instructions, 4 ns. Where a thief has
 * it the join waits, as a close does.
 */
#ifndef ROOST_HOT_H
#define ROOST_HOT_H

#include <roost/base.h>
#include <string.h>

#define ROOST_HOT_ABI 2

#ifdef __cplusplus
extern "C" {
#endif

/* One call, from its fork to its join: on the caller's stack. All private. */
typedef struct roost_hot {
    roost_fn fn;
    void *arg;
    uint64_t count;
    void *owner;
    roost_errors *kept;
    int32_t status;
    uint32_t marks;
    uint64_t reserved_[2];
} roost_hot;

/* --- the layout: private, compared with the library's by hot.c --- */

#define ROOST_HOT_CHILD_ 4u      /* roost_hot.count: forked */
#define ROOST_HOT_PARK_ 0        /* in a runtime: who sleeps, who looks */
#define ROOST_HOT_INJECT_ 68     /* and how much has come from outside */
#define ROOST_HOT_PARKED_ 65536u /* from there on somebody sleeps */
#define ROOST_HOT_ALONE_ 0xd0u   /* marks of a frame: no fork */

struct roost_hot_frame_ {
    void *scope;
    void *env;
    void *target;
    uint32_t marks;
};

struct roost_hot_slot_ {
    uint64_t fn, arg, scope, env;
};

struct roost_hot_worker_ {
    struct roost_hot_frame_ *frame;
    void *fiber;
    const char *runtime;
    const char *stack_floor;
    uint32_t in_place_left;
    uint32_t other_[7];
    uint64_t bottom;
    int64_t room;
    struct roost_hot_slot_ *slots;
    int64_t mask;
    uint64_t more_[4];
    uint64_t top;
};

/* Private: what the library does for the two. */
ROOST_API struct roost_hot_worker_ *roost_hot_self_2_(void);
ROOST_API void roost_hot_fork_2_(roost_hot *h);
ROOST_API void roost_hot_wake_2_(struct roost_hot_worker_ *w);
ROOST_API int roost_hot_join_2_(roost_hot *h);
ROOST_API int roost_hot_run_2_(void *h);
ROOST_API void roost_hot_crossed_2_(void);

#ifdef __cplusplus
}
#endif

/* The explorer brings its own of these. */
#ifndef ROOST_HOT_ACCESS_
#define roost_hot_get_(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define roost_hot_init_(p, v) ((void)(*(p) = (v)))
#define roost_hot_put_(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define roost_hot_copy_(to, from) roost_hot_two_((to), (from))
#define roost_hot_set_(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define roost_hot_barrier_() __asm__ __volatile__("" ::: "memory")
#define roost_hot_due_(w) roost_hot_last_(&(w)->in_place_left)
#endif

#define roost_hot_likely_(x) __builtin_expect((x) ? 1 : 0, 1)
#define ROOST_HOT_INLINE_ static inline __attribute__((always_inline))

#if defined(__SANITIZE_THREAD__)
#define ROOST_HOT_OUT_OF_LINE_ 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ROOST_HOT_OUT_OF_LINE_ 1
#endif
#endif

/* The worker that carries the caller; NULL: the library is to do it. Never what
 * a register holds from before a call: the task may go on on another thread,
 * and compilers keep the address of a thread-local. */
ROOST_HOT_INLINE_ struct roost_hot_worker_ *roost_hot_self_(void)
{
#if defined(ROOST_HOT_OUT_OF_LINE_)
    return NULL;
#elif defined(__x86_64__) && defined(__LP64__) && !defined(ROOST_HOT_ACCESS_)
    struct roost_hot_worker_ *w;

    __asm__ __volatile__("movq roost_hot_worker_2_@GOTTPOFF(%%rip), %0\n\t"
                         "movq %%fs:(%0), %0"
                         : "=r"(w));
    return w;
#else
    return roost_hot_self_2_();
#endif
}

ROOST_HOT_INLINE_ const char *roost_hot_stack_(void)
{
#if defined(__x86_64__)
    const char *sp;

    __asm__ __volatile__("movq %%rsp, %0" : "=r"(sp));
    return sp;
#elif defined(__aarch64__)
    const char *sp;

    __asm__ __volatile__("mov %0, sp" : "=r"(sp));
    return sp;
#else
    return (const char *)__builtin_frame_address(0);
#endif
}

/* Two words, at once where there is such a move. */
ROOST_HOT_INLINE_ void roost_hot_two_(void *to, const void *from)
{
    memcpy(to, from, 16);
}

ROOST_HOT_INLINE_ uint64_t roost_hot_word_(const void *p)
{
    return (uint64_t)(uintptr_t)p;
}

/* One less: of the children before a look round. True: it is due. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the instruction writes it */
ROOST_HOT_INLINE_ bool roost_hot_last_(uint32_t *n)
{
#if defined(__x86_64__) && defined(__GCC_ASM_FLAG_OUTPUTS__)
    bool zero;

    __asm__("subl $1, %0" : "+m"(*n), "=@ccz"(zero));
    return zero;
#else
    uint32_t now = *n - 1;

    __atomic_store_n(n, now, __ATOMIC_RELAXED);
    return now == 0;
#endif
}

/* An exception that leaves fn ends the process, as that of a task (R70). A C
 * program that is to see to it is compiled with -fexceptions. */
#if defined(__cplusplus) && defined(__cpp_exceptions)
ROOST_HOT_INLINE_ int roost_hot_call_(roost_fn fn, void *arg)
{
    try {
        return fn(arg);
    } catch (...) {
        roost_hot_crossed_2_();
        return 0;
    }
}
#elif defined(__EXCEPTIONS)
ROOST_HOT_INLINE_ void roost_hot_leave_(const bool *returned)
{
    if (!*returned) {
        roost_hot_crossed_2_();
    }
}

ROOST_HOT_INLINE_ int roost_hot_call_(roost_fn fn, void *arg)
{
    bool returned __attribute__((cleanup(roost_hot_leave_))) = false;
    int status = fn(arg);

    /* NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): for the cleanup */
    returned = true;
    return status;
}
#else
ROOST_HOT_INLINE_ int roost_hot_call_(roost_fn fn, void *arg)
{
    return fn(arg);
}
#endif

/* Begin the call fn(arg). h: until the join. Any thread. Never waits, never
 * fails: what cannot be given away is called by the join. */
ROOST_HOT_INLINE_ void roost_hot_fork(roost_hot *h, roost_fn fn, void *arg)
{
    struct roost_hot_worker_ *w = roost_hot_self_();
    struct roost_hot_slot_ *slot;
    uint32_t parked;
    int64_t b;

    h->fn = fn;
    h->arg = arg;
    roost_hot_init_(&h->count, ROOST_HOT_CHILD_);
    if (!roost_hot_likely_(w != NULL &&
                           !(w->frame->marks & ROOST_HOT_ALONE_))) {
        roost_hot_fork_2_(h);
        return;
    }
    b = (int64_t)roost_hot_get_(&w->bottom);
    if (!roost_hot_likely_(b < w->room)) {
        roost_hot_fork_2_(h);
        return;
    }
    slot = &w->slots[b & w->mask];
    roost_hot_put_(&slot->fn, (uint64_t)(uintptr_t)roost_hot_run_2_);
    roost_hot_put_(&slot->arg, roost_hot_word_(h));
    roost_hot_copy_(&slot->scope, &w->frame->scope);
    roost_hot_set_(&w->bottom, (uint64_t)(b + 1)); /* D1 */
    roost_hot_barrier_();                          /* P1 */
    parked = roost_hot_get_(
        (const uint32_t *)(const void *)(w->runtime + ROOST_HOT_PARK_));
    if (!roost_hot_likely_(parked < ROOST_HOT_PARKED_ ||
                           (parked & (ROOST_HOT_PARKED_ - 1)) != 0)) {
        roost_hot_wake_2_(w);
    }
}

/* The end of the call that was forked last: its status. fn and arg: those of
 * the fork, which the compiler then sees through. Waits if another worker has
 * it, and is no cancellation point. -EINVAL in a forked child. */
ROOST_HOT_INLINE_ int roost_hot_join(roost_hot *h, roost_fn fn, void *arg)
{
    struct roost_hot_worker_ *w = roost_hot_self_();
    struct roost_hot_slot_ *slot;
    int64_t b;

    if (!roost_hot_likely_(
            w != NULL &&
            roost_hot_get_(
                (const uint32_t *)(const void *)(w->runtime +
                                                 ROOST_HOT_INJECT_)) == 0)) {
        return roost_hot_join_2_(h);
    }
    b = (int64_t)roost_hot_get_(&w->bottom) - 1;
    slot = &w->slots[b & w->mask];
    if (!roost_hot_likely_(roost_hot_get_(&slot->arg) == roost_hot_word_(h) &&
                           roost_hot_stack_() > w->stack_floor)) {
        return roost_hot_join_2_(h);
    }
    roost_hot_set_(&w->bottom, (uint64_t)b); /* D1 */
    roost_hot_barrier_();                    /* D2 */
    if (!roost_hot_likely_((int64_t)roost_hot_get_(&w->top) < b &&
                           !roost_hot_due_(w))) {
        roost_hot_set_(&w->bottom, (uint64_t)(b + 1)); /* D1 */
        return roost_hot_join_2_(h);
    }
    return roost_hot_call_(fn, arg);
}

#endif
