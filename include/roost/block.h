/*
 * block.h - the block form of a scope, for C. Included by scope.h.
 *
 *     int rc;
 *
 *     ROOST_SCOPE(s, rc, .timeout = 5 * ROOST_S) {
 *         roost_spawn(s, fetch_user, job);
 *         roost_spawn(s, fetch_orders, job);
 *     }
 *
 * s is declared by the block, a roost_scope *; rc is an int lvalue that gets
 * the status; what follows are fields of roost_scope_opts, or nothing.
 *   Falling off the end, and continue, close the scope with body 0: the
 *   children are awaited.
 *   Leaving by break, return or goto cancels it with 0 first, and then awaits
 *   them: no failure. `return x` reads x BEFORE the children have ended, so
 *   return rc after the block, not in it.
 *   A body that fails says so by roost_scope_fail(s, status), and then leaves
 *   as it likes. What it assigns to rc itself is lost: the close sets it.
 * Blocks nest, in any number, and stand where a statement stands. Jumping into
 * one is misuse.
 *
 * How: three loops of one round. The outermost has the storage; the middle one
 * the state, whose cleanup is what return and goto meet; the innermost tells
 * the end of the body, which marks it ended, from break, which does not.
 */
#ifndef ROOST_BLOCK_H
#define ROOST_BLOCK_H

#include <roost/scope.h>

#if !defined(__cplusplus) && defined(__GNUC__)

#define ROOST_BLOCK_OPEN_ 0   /* the body runs, or was left early */
#define ROOST_BLOCK_ENDED_ 1  /* the body came to its end */
#define ROOST_BLOCK_CLOSED_ 2 /* the scope is closed, rc is set */

struct roost_block_ {
    roost_scope *scope;
    int *status;
    int state;
};

/* The end of a block, however it comes; a second call does nothing. */
static inline void roost_block_end_(struct roost_block_ *b)
{
    if (b->state == ROOST_BLOCK_CLOSED_) {
        return;
    }
    if (b->state == ROOST_BLOCK_OPEN_) {
        roost_scope_cancel(b->scope, 0);
    }
    b->state = ROOST_BLOCK_CLOSED_;
    *b->status = roost_scope_close(b->scope, 0);
}

#define ROOST_BLOCK_CLEANUP_ __attribute__((cleanup(roost_block_end_)))

#define ROOST_SCOPE(s, ...)                                                    \
    for (roost_scope roost_storage_##s,                                        \
         *s = (roost_scope_open(&roost_storage_##s, ROOST_OPTS_(__VA_ARGS__)), \
               &roost_storage_##s);                                            \
         s; s = NULL)                                                          \
        for (struct roost_block_ roost_block_##s ROOST_BLOCK_CLEANUP_ =        \
                 {&roost_storage_##s, &(ROOST_FIRST_(__VA_ARGS__, )),          \
                  ROOST_BLOCK_OPEN_};                                          \
             roost_block_##s.state != ROOST_BLOCK_CLOSED_;                     \
             roost_block_end_(&roost_block_##s))                               \
            for (; roost_block_##s.state == ROOST_BLOCK_OPEN_;                 \
                 roost_block_##s.state = ROOST_BLOCK_ENDED_)

/* The first argument, and whether there are more: so that a block without
 * options opens a plain scope, and no macro is called with too few. */
#define ROOST_FIRST_(first, ...) first
#define ROOST_TENTH_(a, b, c, d, e, f, g, h, i, tenth, ...) tenth
#define ROOST_OPTS_(...)                                                       \
    ROOST_TENTH_(__VA_ARGS__, ROOST_SOME_, ROOST_SOME_, ROOST_SOME_,           \
                 ROOST_SOME_, ROOST_SOME_, ROOST_SOME_, ROOST_SOME_,           \
                 ROOST_SOME_, ROOST_NONE_, )                                   \
    (__VA_ARGS__, .reserved_ = {0})
#define ROOST_NONE_(rc, ...) NULL
#define ROOST_SOME_(rc, ...) (&(const roost_scope_opts){__VA_ARGS__})

#endif /* C */
#endif
