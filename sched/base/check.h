/*
 * check.h - what must hold. roost_check stays in release builds: it guards
 * memory. roost_assert is for debug builds. Both print one line and abort.
 */
#ifndef ROOST_BASE_CHECK_H
#define ROOST_BASE_CHECK_H

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* Prints "roost: file:line: what" to stderr and aborts. Never returns. */
_Noreturn void check_failed(const char *file, int line, const char *what);

#define roost_check(cond)                                                      \
    (likely(cond) ? (void)0 : check_failed(__FILE__, __LINE__, #cond))

#ifdef NDEBUG
#define roost_assert(cond) ((void)sizeof(!(cond)))
#else
#define roost_assert(cond) roost_check(cond)
#endif

#endif
