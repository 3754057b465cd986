/* parallel_items.h - items of an array that only their size is known of. The
 * functions are inlined into loops for one size each, ITEM_SIZES. */
#ifndef ROOST_PARALLEL_ITEMS_H
#define ROOST_PARALLEL_ITEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ITEM_INLINE static inline __attribute__((always_inline))

/* call(arguments.., size) with a constant where that pays. */
#define ITEM_SIZES(size, call, ...)                                            \
    do {                                                                       \
        switch (size) {                                                        \
        case 4:                                                                \
            call(__VA_ARGS__, 4);                                              \
            break;                                                             \
        case 8:                                                                \
            call(__VA_ARGS__, 8);                                              \
            break;                                                             \
        case 16:                                                               \
            call(__VA_ARGS__, 16);                                             \
            break;                                                             \
        default:                                                               \
            call(__VA_ARGS__, (size));                                         \
        }                                                                      \
    } while (false)

/* n items of so many bytes: is that a size, and is there an array? */
static inline bool items_valid(const void *base, size_t n, size_t size)
{
    return size > 0 && n <= SIZE_MAX / size && (base != NULL || n == 0);
}

#endif
