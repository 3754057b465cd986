/*
 * atomic.h - the one door to shared memory: atomics, fences, the asymmetric
 * barrier and the futex. No other file includes <stdatomic.h> or uses
 * __atomic builtins; a lint proves it.
 *
 * WHAT    Typed words (a32, a64, aptr) whose every access names its memory
 *         order, so that a reader sees each order and a tool can weaken it.
 * MODEL   The same sources compile in three forms:
 *           plain     the compiler's atomics, inlined (this file)
 *           tsan      ROOST_ATOMIC_TSAN: ThreadSanitizer ignores fences, so
 *                     the asymmetric barrier becomes exchanges (below)
 *           explorer  ROOST_MODEL: each access is a scheduling point of the
 *                     explorer in tests/model (model_atomic.h)
 * COST    Plain: what the instruction costs. load and store are plain moves
 *         on x86-64; a read-modify-write is 6 ns; fence_full 6-23 ns.
 *
 * The asymmetric barrier: the frequent side calls barrier_light (a compiler
 * barrier, free), the rare side barrier_heavy (membarrier(2), 1.6 us), and the
 * pair acts as two full fences. Where the kernel lacks membarrier, asymmetric
 * is false and barrier_light is a full fence (see barrier_probe).
 */
#ifndef ROOST_BASE_ATOMIC_H
#define ROOST_BASE_ATOMIC_H

#include "pair.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define CACHE_LINE 64

#ifdef ROOST_MODEL
#include "model_atomic.h"
#else

#define RELAXED __ATOMIC_RELAXED
#define ACQUIRE __ATOMIC_ACQUIRE
#define RELEASE __ATOMIC_RELEASE
#define ACQ_REL __ATOMIC_ACQ_REL
#define SEQ_CST __ATOMIC_SEQ_CST

typedef struct a32 {
    uint32_t value;
} a32;

typedef struct a64 {
    uint64_t value;
} a64;

typedef struct aptr {
    void *value;
} aptr;

/* Macros, not functions, for the loads and stores: the order must be a
 * constant even at -O0. */
#define a32_load(p, order) __atomic_load_n(&(p)->value, (order))
#define a32_store(p, v, order) __atomic_store_n(&(p)->value, (v), (order))
#define a32_xchg(p, v, order) __atomic_exchange_n(&(p)->value, (v), (order))
#define a32_add(p, v, order) __atomic_fetch_add(&(p)->value, (v), (order))
#define a32_or(p, v, order) __atomic_fetch_or(&(p)->value, (v), (order))
#define a32_and(p, v, order) __atomic_fetch_and(&(p)->value, (v), (order))
/* Strong compare-and-swap. On failure *expected is what was there, read with
 * order `miss`. Returns whether it swapped. */
#define a32_cas(p, expected, v, order, miss)                                   \
    __atomic_compare_exchange_n(&(p)->value, (expected), (v), false, (order),  \
                                (miss))

#define a64_load(p, order) a32_load(p, order)
#define a64_store(p, v, order) a32_store(p, v, order)
#define a64_xchg(p, v, order) a32_xchg(p, v, order)
#define a64_add(p, v, order) a32_add(p, v, order)
#define a64_or(p, v, order) a32_or(p, v, order)
#define a64_and(p, v, order) a32_and(p, v, order)
#define a64_cas(p, expected, v, order, miss)                                   \
    a32_cas(p, expected, v, order, miss)

#define aptr_load(p, order) a32_load(p, order)
#define aptr_store(p, v, order) a32_store(p, v, order)
#define aptr_xchg(p, v, order) a32_xchg(p, v, order)
#define aptr_cas(p, expected, v, order, miss)                                  \
    a32_cas(p, expected, v, order, miss)

/* Before the object is shared: a plain store, which compilers may merge. */
#define a32_init(p, v) ((p)->value = (v))
#define a64_init(p, v) ((p)->value = (v))
#define aptr_init(p, v) ((p)->value = (v))

/* Two neighbours by their only writer, relaxed, in one store where one of 16
 * bytes never tears a word (x86-64); p, the first, is aligned to 16. A reader
 * may see either without the other. See pair.h for why. */
#if defined(__x86_64__) && !defined(ROOST_ATOMIC_TSAN)
#define a64_store_pair(p, first, second)                                       \
    pair_store(__builtin_assume_aligned((p), 16), (first), (second))
#else
#define a64_store_pair(p, first, second)                                       \
    (a64_store((p), (first), RELAXED), a64_store((p) + 1, (second), RELAXED))
#endif

/* By its only writer: one less, relaxed. True: it is 0 now. One instruction
 * where a load and a store would be three. */
#if defined(__x86_64__) && !defined(ROOST_ATOMIC_TSAN)
#define a32_own_dec(p)                                                         \
    __extension__({                                                            \
        bool zero_;                                                            \
        __asm__("subl $1, %0" : "+m"((p)->value), "=@ccz"(zero_));             \
        zero_;                                                                 \
    })
#else
#define a32_own_dec(p)                                                         \
    __extension__({                                                            \
        uint32_t left_ = a32_load((p), RELAXED) - 1;                           \
        a32_store((p), left_, RELAXED);                                        \
        left_ == 0;                                                            \
    })
#endif

/* By its only writer: one more, relaxed, likewise in one instruction. */
#if defined(__x86_64__) && !defined(ROOST_ATOMIC_TSAN)
#define a64_own_inc(p) __asm__("addq $1, %0" : "+m"((p)->value) : : "cc")
#else
#define a64_own_inc(p) a64_store((p), a64_load((p), RELAXED) + 1, RELAXED)
#endif

#if defined(__x86_64__) && !defined(ROOST_ATOMIC_TSAN)
/* What gcc emits for the C11 fence; clang's mfence takes four times as long. */
#define fence_full()                                                           \
    __asm__ __volatile__("lock; orq $0, (%%rsp)" ::: "memory", "cc")
#else
#define fence_full() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif
#define fence_acquire() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define fence_release() __atomic_thread_fence(__ATOMIC_RELEASE)

/* A plain field that crosses threads under some protocol: the explorer
 * reports unordered accesses to it, elsewhere these are the bare access. */
#define plain_read(lvalue) (lvalue)
#define plain_write(lvalue, v) ((void)((lvalue) = (v)))

/* In a loop that waits for another thread's next few instructions. */
static inline void spin_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("isb" ::: "memory");
#endif
}

/* With so many workers at most the asymmetric form is the cheaper one. */
#define BARRIER_WORKERS 8

/* Before the first worker starts, in a process that is about to have so many:
 * decide, once for all, whether the barrier is asymmetric. Never fails: where
 * the kernel lacks membarrier, or too many would be interrupted, it is not. */
void barrier_probe(unsigned workers);
/* For tests of it, where nobody relies on either. */
void barrier_begin_anew(void);
extern bool barrier_asymmetric __attribute__((visibility("hidden")));
void barrier_heavy(void);

static inline void barrier_light(void)
{
#ifdef ROOST_ATOMIC_TSAN
    fence_full();
#else
    if (__builtin_expect(barrier_asymmetric, 1)) {
        __asm__ __volatile__("" ::: "memory");
    } else {
        fence_full();
    }
#endif
}

/*
 * futex_wait: sleep while *word == seen, until woken or until `deadline` (an
 * absolute CLOCK_MONOTONIC time; INT64_MAX: none). Returns 0 when woken or
 * when the word differed, -ETIMEDOUT, or -EINTR. Spurious returns happen: the
 * caller loops on its own condition.
 * futex_wake: wake at most n sleepers; the number woken.
 * Private to the process. Waits (the thread, not a task).
 */
int futex_wait(a32 *word, uint32_t seen, int64_t deadline);
int futex_wake(a32 *word, int n);

/* On a thread on which several threads of control take turns (sched/sim.c)
 * this is what futex_wait does; NULL elsewhere. */
extern __thread int (*futex_instead)(a32 *word, uint32_t seen, int64_t deadline)
    __attribute__((visibility("hidden")));
/* Such a thread looks at many words. While it is open the bell is rung by each
 * futex_wake of another thread: read it, look at the words, sleep until it is
 * another than was read (0) or the deadline (-ETIMEDOUT, or 0). */
void futex_bell_open(void);
void futex_bell_close(void);
uint32_t futex_bell(void);
int futex_bell_wait(uint32_t seen, int64_t deadline);

#endif /* !ROOST_MODEL */
#endif
