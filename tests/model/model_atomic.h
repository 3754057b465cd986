/*
 * model_atomic.h - the explorer form of sched/base/atomic.h: every access is
 * a scheduling point, and what it reads is the explorer's to choose.
 *
 * The types have the size and alignment of the plain form, so the layout of
 * the real structs is kept; histories live beside the memory (memory.c).
 */
#ifndef ROOST_MODEL_ATOMIC_H
#define ROOST_MODEL_ATOMIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bits: 1 acquire, 2 release, 4 sequentially consistent. */
#define RELAXED 0
#define ACQUIRE 1
#define RELEASE 2
#define ACQ_REL 3
#define SEQ_CST 7

typedef struct a32 {
    uint32_t value;
} a32;

typedef struct a64 {
    uint64_t value;
} a64;

typedef struct aptr {
    void *value;
} aptr;

/* One access in the program's text. Passed by value: a pointer to it would be
 * one more access to instrument. */
struct model_access {
    void *at;
    const char *file;
    const char *name; /* the operand as it is written */
    int line;
    uint8_t size;
    uint8_t order;
    uint8_t miss; /* order of a compare-and-swap that fails */
};

uint64_t model_load(struct model_access a);
void model_store(struct model_access a, uint64_t value);
void model_init(struct model_access a, uint64_t value);
/* Each returns the value before. */
uint64_t model_xchg(struct model_access a, uint64_t value);
uint64_t model_add(struct model_access a, uint64_t value);
uint64_t model_or(struct model_access a, uint64_t value);
uint64_t model_and(struct model_access a, uint64_t value);
bool model_cas64(struct model_access a, uint64_t *expected, uint64_t v);
void model_fence(const char *file, int line, int order);
void model_barrier(const char *file, int line, bool heavy);
void model_pause(const char *file, int line);
void model_plain(struct model_access a, bool write);

#define MODEL_ACCESS(p, order, miss)                                           \
    ((struct model_access){(void *)(uintptr_t) & (p)->value, __FILE__, #p,     \
                           __LINE__, sizeof((p)->value), (order), (miss)})
#define MODEL_WORD(p, order) MODEL_ACCESS(p, order, RELAXED)

#define MODEL_NUMBER(v) ((uint64_t)(uintptr_t)(v))

static inline bool model_cas32(struct model_access a, uint32_t *expected,
                               uint32_t v)
{
    uint64_t seen = *expected;
    bool done = model_cas64(a, &seen, v);

    *expected = (uint32_t)seen;
    return done;
}

static inline bool model_casptr(struct model_access a, void **expected, void *v)
{
    uint64_t seen = MODEL_NUMBER(*expected);
    bool done = model_cas64(a, &seen, MODEL_NUMBER(v));

    *expected = (void *)(uintptr_t)seen;
    return done;
}

/* Functions, so that a result may be left unused. */
static inline uint32_t model_low(uint64_t value)
{
    return (uint32_t)value;
}

static inline void *model_pointer(uint64_t value)
{
    return (void *)(uintptr_t)value;
}

#define a32_load(p, order) model_low(model_load(MODEL_WORD(p, order)))
#define a32_store(p, v, order) model_store(MODEL_WORD(p, order), (uint32_t)(v))
#define a32_init(p, v) model_init(MODEL_WORD(p, RELAXED), (uint32_t)(v))
#define a32_xchg(p, v, order)                                                  \
    model_low(model_xchg(MODEL_WORD(p, order), (uint32_t)(v)))
#define a32_add(p, v, order)                                                   \
    model_low(model_add(MODEL_WORD(p, order), (uint32_t)(v)))
#define a32_or(p, v, order)                                                    \
    model_low(model_or(MODEL_WORD(p, order), (uint32_t)(v)))
#define a32_and(p, v, order)                                                   \
    model_low(model_and(MODEL_WORD(p, order), (uint32_t)(v)))
#define a32_cas(p, expected, v, order, miss)                                   \
    model_cas32(MODEL_ACCESS(p, order, miss), (expected), (v))

/* By its only writer. */
#define a32_own_dec(p)                                                         \
    __extension__({                                                            \
        uint32_t left_ = a32_load((p), RELAXED) - 1;                           \
        a32_store((p), left_, RELAXED);                                        \
        left_ == 0;                                                            \
    })

#define a64_load(p, order) model_load(MODEL_WORD(p, order))
#define a64_store(p, v, order) model_store(MODEL_WORD(p, order), (uint64_t)(v))
#define a64_init(p, v) model_init(MODEL_WORD(p, RELAXED), (uint64_t)(v))
#define a64_xchg(p, v, order) model_xchg(MODEL_WORD(p, order), (uint64_t)(v))
/* A statistic, which no protocol reads: no step of a schedule. */
#define a64_own_inc(p) ((void)(p)->value++)
#define a64_store_pair(p, first, second)                                       \
    (a64_store((p), (first), RELAXED), a64_store((p) + 1, (second), RELAXED))
#define a64_add(p, v, order) model_add(MODEL_WORD(p, order), (uint64_t)(v))
#define a64_or(p, v, order) model_or(MODEL_WORD(p, order), (uint64_t)(v))
#define a64_and(p, v, order) model_and(MODEL_WORD(p, order), (uint64_t)(v))
#define a64_cas(p, expected, v, order, miss)                                   \
    model_cas64(MODEL_ACCESS(p, order, miss), (expected), (v))

#define aptr_load(p, order) model_pointer(model_load(MODEL_WORD(p, order)))
#define aptr_store(p, v, order)                                                \
    model_store(MODEL_WORD(p, order), MODEL_NUMBER(v))
#define aptr_init(p, v) model_init(MODEL_WORD(p, RELAXED), MODEL_NUMBER(v))
#define aptr_xchg(p, v, order)                                                 \
    model_pointer(model_xchg(MODEL_WORD(p, order), MODEL_NUMBER(v)))
#define aptr_cas(p, expected, v, order, miss)                                  \
    model_casptr(MODEL_ACCESS(p, order, miss), (expected), (v))

#define fence_full() model_fence(__FILE__, __LINE__, SEQ_CST)
#define fence_acquire() model_fence(__FILE__, __LINE__, ACQUIRE)
#define fence_release() model_fence(__FILE__, __LINE__, RELEASE)

#define MODEL_PLAIN(lvalue)                                                    \
    ((struct model_access){(void *)(uintptr_t) & (lvalue), __FILE__, #lvalue,  \
                           __LINE__, sizeof(lvalue), RELAXED, RELAXED})
#define plain_read(lvalue) (model_plain(MODEL_PLAIN(lvalue), false), (lvalue))
#define plain_write(lvalue, v)                                                 \
    (model_plain(MODEL_PLAIN(lvalue), true), (void)((lvalue) = (v)))

/* The compiler instruments no call of these, and may expand them in place. */
#ifdef __SANITIZE_THREAD__
#include <string.h>
void *model_memset(void *to, int value, size_t size);
void *model_memcpy(void *to, const void *from, size_t size);
#define memset(to, value, size) model_memset((to), (value), (size))
#define memcpy(to, from, size) model_memcpy((to), (from), (size))
#endif

#define spin_pause() model_pause(__FILE__, __LINE__)

/* Each model that uses the barrier runs in both forms. */
extern bool barrier_asymmetric;
#define BARRIER_WORKERS 8
void barrier_probe(unsigned workers);
#define barrier_light() model_barrier(__FILE__, __LINE__, false)
#define barrier_heavy() model_barrier(__FILE__, __LINE__, true)

/* As the kernel's: the comparison reads the newest value, no order beyond.
 * When a deadline fires and whether EINTR comes is the model's choice. */
int futex_wait(a32 *word, uint32_t seen, int64_t deadline);
int futex_wake(a32 *word, int n);

#endif
