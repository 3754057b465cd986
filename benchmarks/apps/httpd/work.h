/*
 * work.h - what the heavy requests compute. Each looks now and then whether it
 * is cancelled, which is also when others get their turn: -ECANCELED then.
 */
#ifndef HTTPD_WORK_H
#define HTTPD_WORK_H

#include <stddef.h>
#include <stdint.h>

enum { THUMB_BOX = 8 }; /* pixels of the image, each way, for one */

/* So many rounds of mixing: *hash is the seed, and then the result. 1.5 ns a
 * round. */
int work_hash(uint64_t rounds, uint64_t *hash);

/* n children, each hashes its number; *sum is the sum of it. -ENOMEM. */
int work_fan(unsigned n, uint64_t rounds, uint64_t *sum);

/*
 * An image of w x h pixels, made up, and made an eighth as large: handed out a
 * band of rows at a time, whose bytes are good until `out` returns.
 *   its failure; -ENOMEM
 */
int work_thumb(unsigned w, unsigned h,
               int (*out)(void *ctx, const char *rows, size_t size), void *ctx);

#endif
