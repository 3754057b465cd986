/*
 * progress.c - a service task with a ticker. The end of the tree is not known
 * until it is reached; so the bar is what is searched of what was found.
 */
#include "progress.h"
#include "walk.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PERIOD (100 * ROOST_MS)
#define BAR_WIDTH 30

/* With the output's lock. */
static void draw(struct walk *w)
{
    const struct tally *t = &w->output.tally;
    uint64_t files = t->files_searched + t->files_broken;
    uint64_t directories = t->directories_read + t->directories_broken;
    uint64_t found = t->files_found + t->directories_found;
    unsigned full = 0;
    char bar[BAR_WIDTH + 1];
    char line[160];

    if (found > 0) {
        full = (unsigned)((files + directories) * BAR_WIDTH / found);
        full = full < BAR_WIDTH ? full : BAR_WIDTH;
    }
    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', full);
    bar[BAR_WIDTH] = '\0';
    snprintf(line, sizeof line,
             "[%s] %" PRIu64 "/%" PRIu64 " files, %" PRIu64 "/%" PRIu64
             " directories, %" PRIu64 " lines",
             bar, files, t->files_found, directories, t->directories_found,
             t->lines);
    printer_bar(&w->output.printer, line);
}

int progress_run(void *walk)
{
    struct walk *w = walk;
    roost_ticker ticker;

    if (roost_ticker_init(&ticker, PERIOD, ROOST_TICK_SKIP) == 0) {
        while (roost_tick(&ticker) > 0) {
            if (roost_mutex_try_lock(&w->output.lock) == 0) {
                draw(w);
                roost_mutex_unlock(&w->output.lock);
            }
        }
    }
    roost_mutex_lock(&w->output.lock);
    printer_bar(&w->output.printer, NULL);
    roost_mutex_unlock(&w->output.lock);
    return 0;
}
