/*
 * litmus.c - the explorer's proof of itself: small programs whose possible
 * outcomes are known. What C11/C20 allow (load buffering apart) must be seen,
 * what they forbid must never be.
 *
 * An outcome is the number whose binary digits are the values read, the first
 * read lowest.
 */
#include "model.h"

static a32 x, y, z;
static uint32_t r[8];

static void clear(void)
{
    a32_init(&x, 0);
    a32_init(&y, 0);
    a32_init(&z, 0);
    for (unsigned i = 0; i < 8; i++) {
        r[i] = 0;
    }
}

static void outcome2(void)
{
    model_outcome(r[0] | r[1] << 1);
}

static void outcome3(void)
{
    model_outcome(r[0] | r[1] << 1 | r[2] << 2);
}

static void outcome4(void)
{
    model_outcome(r[0] | r[1] << 1 | r[2] << 2 | r[3] << 3);
}

enum { O0 = 1, O1 = 2, O2 = 4, O3 = 8, O4 = 16, O5 = 32, O6 = 64, O7 = 128 };

/* Depth-first sees all; so the others need few runs. */
#define EXHAUST .preemptions = 4, .weak = 4, .runs = 60000

/* SB, store buffering: both may read 0, unless full fences stand between. */

static void sb_left(void)
{
    a32_store(&x, 1, RELEASE);
    r[0] = a32_load(&y, ACQUIRE);
}

static void sb_right(void)
{
    a32_store(&y, 1, RELEASE);
    r[1] = a32_load(&x, ACQUIRE);
}

MODEL(sb, .setup = clear, .threads = {sb_left, sb_right}, .check = outcome2,
      .must_see = O0 | O1 | O2 | O3, EXHAUST);

static void sb_fence_left(void)
{
    a32_store(&x, 1, RELAXED);
    fence_full();
    r[0] = a32_load(&y, RELAXED);
}

static void sb_fence_right(void)
{
    a32_store(&y, 1, RELAXED);
    fence_full();
    r[1] = a32_load(&x, RELAXED);
}

MODEL(sb_fences, .setup = clear, .threads = {sb_fence_left, sb_fence_right},
      .check = outcome2, .must_see = O1 | O2 | O3, .must_not_see = O0, EXHAUST);
MODEL(sb_one_fence, .setup = clear, .threads = {sb_fence_left, sb_right},
      .check = outcome2, .must_see = O0 | O1 | O2 | O3, EXHAUST);

static void sb_sc_left(void)
{
    a32_store(&x, 1, SEQ_CST);
    r[0] = a32_load(&y, SEQ_CST);
}

static void sb_sc_right(void)
{
    a32_store(&y, 1, SEQ_CST);
    r[1] = a32_load(&x, SEQ_CST);
}

MODEL(sb_sc, .setup = clear, .threads = {sb_sc_left, sb_sc_right},
      .check = outcome2, .must_see = O1 | O2 | O3, .must_not_see = O0, EXHAUST);
/* A full fence on one side, SEQ_CST accesses on the other: still forbidden. */
MODEL(sb_sc_fence, .setup = clear, .threads = {sb_sc_left, sb_fence_right},
      .check = outcome2, .must_see = O1 | O2 | O3, .must_not_see = O0, EXHAUST);

/* SB with the asymmetric barrier: as with fences in both forms; two light
 * sides are not enough in the asymmetric one. */

static void sb_light(void)
{
    a32_store(&x, 1, RELAXED);
    barrier_light();
    r[0] = a32_load(&y, RELAXED);
}

static void sb_heavy(void)
{
    a32_store(&y, 1, RELAXED);
    barrier_heavy();
    r[1] = a32_load(&x, RELAXED);
}

static void sb_light_right(void)
{
    a32_store(&y, 1, RELAXED);
    barrier_light();
    r[1] = a32_load(&x, RELAXED);
}

/* Outcomes 4 to 7 are those of the asymmetric form; in the symmetric one a
 * light barrier is a full fence. */
static void outcome_forms(void)
{
    model_outcome((r[0] | r[1] << 1) + (barrier_asymmetric ? 4 : 0));
}

MODEL(sb_barrier, .setup = clear, .threads = {sb_light, sb_heavy},
      .check = outcome_forms, .must_see = O1 | O2 | O3 | O5 | O6 | O7,
      .must_not_see = O0 | O4, EXHAUST);
MODEL(sb_two_light, .setup = clear, .threads = {sb_light, sb_light_right},
      .check = outcome_forms, .must_see = O1 | O2 | O3 | O4 | O5 | O6 | O7,
      .must_not_see = O0, EXHAUST);

/* MP, message passing: 'flag seen, data not' unless release meets acquire. */

static void mp_relaxed_write(void)
{
    a32_store(&x, 1, RELAXED);
    a32_store(&y, 1, RELAXED);
}

static void mp_release_write(void)
{
    a32_store(&x, 1, RELAXED);
    a32_store(&y, 1, RELEASE);
}

static void mp_fence_write(void)
{
    a32_store(&x, 1, RELAXED);
    fence_release();
    a32_store(&y, 1, RELAXED);
}

static void mp_relaxed_read(void)
{
    r[0] = a32_load(&y, RELAXED);
    r[1] = a32_load(&x, RELAXED);
}

static void mp_acquire_read(void)
{
    r[0] = a32_load(&y, ACQUIRE);
    r[1] = a32_load(&x, RELAXED);
}

static void mp_fence_read(void)
{
    r[0] = a32_load(&y, RELAXED);
    fence_acquire();
    r[1] = a32_load(&x, RELAXED);
}

#define MP(id, write, read, see, not_see)                                      \
    MODEL(id, .setup = clear, .threads = {write, read}, .check = outcome2,     \
          .must_see = O0 | O2 | O3 | (see), .must_not_see = (not_see),         \
          EXHAUST)

MP(mp, mp_relaxed_write, mp_relaxed_read, O1, 0);
MP(mp_release, mp_release_write, mp_acquire_read, 0, O1);
MP(mp_release_only, mp_release_write, mp_relaxed_read, O1, 0);
MP(mp_acquire_only, mp_relaxed_write, mp_acquire_read, O1, 0);
MP(mp_fences, mp_fence_write, mp_fence_read, 0, O1);
MP(mp_fence_acquire, mp_fence_write, mp_acquire_read, 0, O1);
MP(mp_release_fence, mp_release_write, mp_fence_read, 0, O1);

/* LB, load buffering: allowed by C11, not made by this explorer (memory.c
 * says why): a statement about it, so that a change is noticed. */

static void lb_left(void)
{
    r[0] = a32_load(&x, RELAXED);
    a32_store(&y, 1, RELAXED);
}

static void lb_right(void)
{
    r[1] = a32_load(&y, RELAXED);
    a32_store(&x, 1, RELAXED);
}

MODEL(lb, .setup = clear, .threads = {lb_left, lb_right}, .check = outcome2,
      .must_see = O0 | O1 | O2, .must_not_see = O3, EXHAUST);

/* IRIW: two readers may disagree on the order of two independent writes. */

static void write_x(void)
{
    a32_store(&x, 1, RELEASE);
}

static void write_y(void)
{
    a32_store(&y, 1, RELEASE);
}

static void iriw_left(void)
{
    r[0] = a32_load(&x, ACQUIRE);
    r[1] = a32_load(&y, ACQUIRE);
}

static void iriw_right(void)
{
    r[2] = a32_load(&y, ACQUIRE);
    r[3] = a32_load(&x, ACQUIRE);
}

MODEL(iriw, .setup = clear,
      .threads = {write_x, write_y, iriw_left, iriw_right}, .check = outcome4,
      .must_see = O0 | 1 << 5 | 1 << 15, EXHAUST);

static void write_x_sc(void)
{
    a32_store(&x, 1, SEQ_CST);
}

static void write_y_sc(void)
{
    a32_store(&y, 1, SEQ_CST);
}

static void iriw_sc_left(void)
{
    r[0] = a32_load(&x, SEQ_CST);
    r[1] = a32_load(&y, SEQ_CST);
}

static void iriw_sc_right(void)
{
    r[2] = a32_load(&y, SEQ_CST);
    r[3] = a32_load(&x, SEQ_CST);
}

MODEL(iriw_sc, .setup = clear,
      .threads = {write_x_sc, write_y_sc, iriw_sc_left, iriw_sc_right},
      .check = outcome4, .must_see = O0 | 1 << 15, .must_not_see = 1 << 5,
      EXHAUST);

static void iriw_fence_left(void)
{
    r[0] = a32_load(&x, RELAXED);
    fence_full();
    r[1] = a32_load(&y, RELAXED);
}

static void iriw_fence_right(void)
{
    r[2] = a32_load(&y, RELAXED);
    fence_full();
    r[3] = a32_load(&x, RELAXED);
}

MODEL(iriw_fences, .setup = clear,
      .threads = {write_x, write_y, iriw_fence_left, iriw_fence_right},
      .check = outcome4, .must_see = O0 | 1 << 15, .must_not_see = 1 << 5,
      EXHAUST);

/* 2+2W: both words may end with the value that was written first. */

static void ww_left(void)
{
    a32_store(&x, 1, RELAXED);
    a32_store(&y, 2, RELAXED);
}

static void ww_right(void)
{
    a32_store(&y, 1, RELAXED);
    a32_store(&x, 2, RELAXED);
}

static void ww_release_left(void)
{
    a32_store(&x, 1, RELAXED);
    fence_full();
    a32_store(&y, 2, RELAXED);
}

static void ww_release_right(void)
{
    a32_store(&y, 1, RELAXED);
    fence_full();
    a32_store(&x, 2, RELAXED);
}

static void outcome_ww(void)
{
    r[0] = a32_load(&x, RELAXED) == 1;
    r[1] = a32_load(&y, RELAXED) == 1;
    outcome2();
}

MODEL(ww, .setup = clear, .threads = {ww_left, ww_right}, .check = outcome_ww,
      .must_see = O0 | O1 | O2 | O3, EXHAUST);
MODEL(ww_fences, .setup = clear, .threads = {ww_release_left, ww_release_right},
      .check = outcome_ww, .must_see = O0 | O1 | O2, .must_not_see = O3,
      EXHAUST);

/* CoRR: reads of one word never go back. */

static void corr_read(void)
{
    r[0] = a32_load(&x, RELAXED);
    r[1] = a32_load(&x, RELAXED);
}

MODEL(corr, .setup = clear, .threads = {write_x, corr_read}, .check = outcome2,
      .must_see = O0 | O2 | O3, .must_not_see = O1, EXHAUST);

/* WRC: causality through a third thread. */

static void wrc_pass(void)
{
    r[0] = a32_load(&x, ACQUIRE);
    a32_store(&y, 1, RELEASE);
}

static void wrc_pass_relaxed(void)
{
    r[0] = a32_load(&x, RELAXED);
    a32_store(&y, 1, RELAXED);
}

static void wrc_read(void)
{
    r[1] = a32_load(&y, ACQUIRE);
    r[2] = a32_load(&x, RELAXED);
}

MODEL(wrc, .setup = clear, .threads = {write_x, wrc_pass, wrc_read},
      .check = outcome3, .must_see = O0 | O1 | O2 | O4 | O6 | O7,
      .must_not_see = O3, EXHAUST);
MODEL(wrc_relaxed, .setup = clear,
      .threads = {write_x, wrc_pass_relaxed, wrc_read}, .check = outcome3,
      .must_see = O3, EXHAUST);

/* Release sequence: a relaxed read-modify-write passes on what it read, a
 * relaxed store does not, even by the thread that released (C20). */

static void sequence_add(void)
{
    a32_add(&y, 1, RELAXED);
}

static void sequence_store(void)
{
    a32_store(&x, 1, RELAXED);
    a32_store(&y, 1, RELEASE);
    a32_store(&y, 2, RELAXED);
}

static void sequence_read(void)
{
    r[0] = a32_load(&y, ACQUIRE) == 2;
    r[1] = a32_load(&x, RELAXED);
}

MODEL(sequence_rmw, .setup = clear,
      .threads = {mp_release_write, sequence_add, sequence_read},
      .check = outcome2, .must_see = O0 | O2 | O3, .must_not_see = O1, EXHAUST);
MODEL(sequence_broken, .setup = clear,
      .threads = {sequence_store, sequence_read}, .check = outcome2,
      .must_see = O0 | O1 | O2 | O3, EXHAUST);

/* Dekker with exchanges: SEQ_CST at both ends, loads too, is enough; with
 * acquire loads it is not: a read-modify-write is no full fence. */

static void dekker_left(void)
{
    a32_xchg(&x, 1, SEQ_CST);
    r[0] = a32_load(&y, SEQ_CST);
}

static void dekker_right(void)
{
    a32_xchg(&y, 1, SEQ_CST);
    r[1] = a32_load(&x, SEQ_CST);
}

static void dekker_weak_left(void)
{
    a32_xchg(&x, 1, SEQ_CST);
    r[0] = a32_load(&y, ACQUIRE);
}

static void dekker_weak_right(void)
{
    a32_xchg(&y, 1, SEQ_CST);
    r[1] = a32_load(&x, ACQUIRE);
}

MODEL(dekker, .setup = clear, .threads = {dekker_left, dekker_right},
      .check = outcome2, .must_see = O1 | O2 | O3, .must_not_see = O0, EXHAUST);
MODEL(dekker_weak, .setup = clear,
      .threads = {dekker_weak_left, dekker_weak_right}, .check = outcome2,
      .must_see = O0 | O1 | O2 | O3, EXHAUST);

/* Two read-modify-writes of one word: neither is lost, one was first. */

static void add_first(void)
{
    r[0] = a32_add(&z, 1, RELAXED);
}

static void add_second(void)
{
    r[1] = a32_add(&z, 1, RELAXED);
}

static void outcome_adds(void)
{
    MODEL_CHECK(a32_load(&z, RELAXED) == 2);
    outcome2();
}

MODEL(adds, .setup = clear, .threads = {add_first, add_second},
      .check = outcome_adds, .must_see = O1 | O2, .must_not_see = O0 | O3,
      EXHAUST);

/* A compare-and-swap that fails may read an old value; one that succeeds
 * never does. */

static void cas_twice(void)
{
    uint32_t seen = 5;

    r[0] = a32_load(&y, ACQUIRE);
    a32_cas(&x, &seen, 6, RELAXED, RELAXED);
    r[1] = seen;
}

MODEL(cas_miss, .setup = clear, .threads = {mp_relaxed_write, cas_twice},
      .check = outcome2, .must_see = O0 | O1 | O2 | O3, EXHAUST);
