/*
 * stats_print.c - counters as Prometheus' text format: a line that says of what
 * type a metric is, a line with its value.
 */
#include "runtime.h"
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct metric {
    const char *name;
    size_t offset; /* in roost_stats, of a uint64_t or size_t */
} metrics[] = {
    {"roost_tasks_spawned_total", offsetof(roost_stats, spawned)},
    {"roost_tasks_run_total", offsetof(roost_stats, run)},
    {"roost_tasks_inlined_total", offsetof(roost_stats, inlined)},
    {"roost_tasks_stolen_total", offsetof(roost_stats, stolen)},
    {"roost_switches_total", offsetof(roost_stats, switched)},
    {"roost_parks_total", offsetof(roost_stats, parked)},
    {"roost_wakes_total", offsetof(roost_stats, woken)},
    {"roost_polls_total", offsetof(roost_stats, polled)},
    {"roost_timers_armed_total", offsetof(roost_stats, timers_armed)},
    {"roost_timers_fired_total", offsetof(roost_stats, timers_fired)},
    {"roost_scopes_cancelled_total", offsetof(roost_stats, cancelled)},
    {"roost_offloaded_total", offsetof(roost_stats, offloaded)},
    {"roost_fibers", offsetof(roost_stats, fibers)},
    {"roost_stacks", offsetof(roost_stats, stacks)},
    {"roost_stack_bytes", offsetof(roost_stats, stack_bytes)},
};
_Static_assert(sizeof(size_t) == sizeof(uint64_t), "one type for all of them");

/* What only grows is called a total. */
static const char *type_of(const char *name)
{
    size_t n = strlen(name);

    return strcmp(name + n - strlen("_total"), "_total") == 0 ? "counter"
                                                              : "gauge";
}

static void print(FILE *out, const char *name, uint64_t value)
{
    fprintf(out, "# TYPE %s %s\n%s %" PRIu64 "\n", name, type_of(name), name,
            value);
}

int roost_stats_print(const roost_stats *stats, FILE *out)
{
    size_t i;

    if (stats == NULL || out == NULL) {
        return -EINVAL;
    }
    print(out, "roost_workers", stats->workers);
    for (i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        uint64_t value;

        memcpy(&value, (const char *)stats + metrics[i].offset, sizeof(value));
        print(out, metrics[i].name, value);
    }
    return ferror(out) ? -EIO : 0;
}
