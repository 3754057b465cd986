/*
 * trace_show.c - records as events of Chrome's trace-event format.
 *
 * WHAT    What each kind of record looks like in the file.
 * MODEL   By the shapes of events.def. A slice is a pair of events "B" and "E",
 *         a moment an "i", a scope or a task's life "b" and "e" that are found
 *         by its address, what a channel holds a "C" that is found by its, an
 *         arrow "s" and "f" that are found by its id. Times are microseconds
 *         since the trace began, by CLOCK_MONOTONIC, whatever the runtime's
 *         clock.
 * INVARIANTS
 *   - Of a track slices open and close in order, whatever was dropped: they
 *     are counted, those are closed in which the next cannot be, and all at the
 *     end. Dropped records are counted in the file.
 * SEE     The format: Trace Event Format, Google, 2016.
 */
#include "observe/trace_show.h"

#include "base/clock.h"
#include <stdio.h>
#include <string.h>

enum shape { BEGIN, END, LEAVE, MARK, OPEN, CLOSE, COUNT, FLOW };

struct number {
    enum { NO, NUMERIC, HEX, WHY, START, ARRIVAL } as;
    const char *key;
};

/* clang-format off */
#define NONE {NO, ""}
#define NUMBER(key) {NUMERIC, key}
#define ADDRESS(key) {HEX, key}
#define REASON(key) {WHY, key}
#define ARROW_OUT {START, ""}
#define ARROW_IN {ARRIVAL, ""}
/* clang-format on */

static const struct look {
    const char *kind, *category, *name;
    struct number a, b;
    enum shape shape;
} looks[] = {
#define EVENT_LINE(kind, shape, category, name, a, b, doc)                     \
    {#kind, category, name, a, b, shape},
#include "observe/events.def"
#undef EVENT_LINE
};

/* The process of the file for threads that belong to no runtime. */
#define PLAIN_PROCESS 1u

static unsigned process_of(unsigned runtime)
{
    return runtime + PLAIN_PROCESS;
}

static uint64_t row_of(const struct track *t)
{
    return (uint64_t)(t - track_at(0)) + 1;
}

/* --- one event of the file --- */

/* Opens it, with all that each has beside its arguments. */
static void open_event(struct show *sh, const char *phase,
                       const struct track *t, int64_t time)
{
    struct json *j = &sh->json;

    json_line(j);
    json_open(j, '{');
    json_key(j, "ph");
    json_string(j, phase);
    json_key(j, "tid");
    json_number(j, row_of(t));
    json_key(j, "ts");
    json_time(j, time < sh->begin ? 0 : time - sh->begin);
}

static void put_process(struct json *j, unsigned runtime)
{
    json_key(j, "pid");
    json_number(j, process_of(runtime));
}

static void put_name(struct json *j, const char *category, const char *name)
{
    json_key(j, "cat");
    json_string(j, category);
    json_key(j, "name");
    json_string(j, name);
}

static void open_args(struct json *j)
{
    json_key(j, "args");
    json_open(j, '{');
}

static void close_event(struct json *j, bool args)
{
    if (args) {
        json_close(j, '}');
    }
    json_close(j, '}');
}

static const char *reason_name(uint64_t reason)
{
    static const char *const names[] = {"",     "explicit", "deadline", "child",
                                        "body", "outer",    "shutdown"};

    return reason < sizeof(names) / sizeof(*names) ? names[reason] : "";
}

/* Is there anything to tell? */
static bool speaks(const struct number *n, uint64_t value)
{
    return n->as == WHY || n->as == NUMERIC || (n->as == HEX && value != 0);
}

static void put_number(struct json *j, const struct number *n, uint64_t value)
{
    if (!speaks(n, value)) {
        return;
    }
    json_key(j, n->key);
    if (n->as == NUMERIC) {
        json_number(j, value);
    } else if (n->as == HEX) {
        json_address(j, value);
    } else {
        json_string(j, reason_name(value));
    }
}

/* --- shapes --- */

static void end_slice(struct show *sh, struct track *t, int64_t time)
{
    open_event(sh, "E", t, time);
    put_process(&sh->json, t->owner.runtime);
    close_event(&sh->json, false);
    t->depth--;
}

static void end_slices(struct show *sh, struct track *t, int64_t time,
                       unsigned left)
{
    while (t->depth > left) {
        end_slice(sh, t, time);
    }
}

/* An end of an arrow: id 0 has none, and it needs a slice. */
static void put_arrow(struct show *sh, const char *phase, struct track *t,
                      int64_t time, uint64_t id)
{
    struct json *j = &sh->json;

    if (id == 0 || t->depth == 0) {
        return;
    }
    open_event(sh, phase, t, time);
    put_process(j, t->owner.runtime);
    put_name(j, "arrow", "arrow");
    json_key(j, "id");
    json_number(j, id);
    if (*phase == 'f') {
        json_key(j, "bp");
        json_string(j, "e");
    }
    close_event(j, false);
}

/* With a name and both numbers; runtime: whose process. */
static void put_event(struct show *sh, const char *phase, struct track *t,
                      const struct record *r, unsigned runtime)
{
    const struct look *look = &looks[r->kind];
    struct json *j = &sh->json;

    open_event(sh, phase, t, r->time);
    put_process(j, runtime);
    put_name(j, look->category, r->name[0] == '\0' ? look->name : r->name);
    if (look->shape == MARK) {
        json_key(j, "s");
        json_string(j, "t");
    } else if (look->shape == OPEN || look->shape == CLOSE ||
               look->shape == COUNT) {
        json_key(j, "id");
        json_address(j, r->a);
    }
    open_args(j);
    put_number(j, &look->a, r->a);
    put_number(j, &look->b, r->b);
    close_event(j, true);
}

static void put_begin(struct show *sh, struct track *t, const struct record *r)
{
    end_slices(sh, t, r->time, r->level);
    put_event(sh, "B", t, r, t->owner.runtime);
    t->depth++;
    if (looks[r->kind].b.as == ARRIVAL) {
        put_arrow(sh, "f", t, r->time, r->b);
    }
}

/* What is of many kinds has its own in its name. */
static struct record titled(const struct record *r)
{
    struct record named = *r;

    snprintf(named.name, sizeof(named.name), "%s%s%.20s", looks[r->kind].name,
             r->name[0] == '\0' ? "" : " ", r->name);
    return named;
}

static void put_mark(struct show *sh, struct track *t, const struct record *r)
{
    const struct look *look = &looks[r->kind];
    struct record named = *r;

    if (r->kind == RECORD_SPAWN || r->kind == RECORD_OFFLOAD ||
        r->kind == RECORD_CANCEL || r->kind == RECORD_DEADLINE) {
        named = titled(r);
    }
    put_event(sh, "i", t, &named, t->owner.runtime);
    if (look->b.as == START) {
        put_arrow(sh, "s", t, r->time, r->b);
    }
}

/* By its name, and its address where several have one name. */
static void put_count(struct show *sh, struct track *t, const struct record *r)
{
    struct record named = titled(r);

    put_event(sh, "C", t, &named, t->owner.runtime);
}

/* What its arguments are goes with the innermost slice. */
static void put_end(struct show *sh, struct track *t, const struct record *r)
{
    const struct look *look = &looks[r->kind];
    struct json *j = &sh->json;

    if (t->depth == 0) {
        return; /* its begin was dropped */
    }
    if (look->b.as == START) {
        put_arrow(sh, "s", t, r->time, r->b);
    }
    open_event(sh, "E", t, r->time);
    put_process(j, t->owner.runtime);
    open_args(j);
    if (look->shape == LEAVE && r->name[0] != '\0') {
        json_key(j, "waits for");
        json_string(j, r->name);
    }
    put_number(j, &look->a, r->a);
    if (r->level > 0) {
        json_key(j, "in place");
        json_number(j, r->level);
    }
    close_event(j, true);
    t->depth--;
    if (look->shape == LEAVE) {
        end_slices(sh, t, r->time, 0);
    }
}

/* --- the rows --- */

static void put_metadata(struct show *sh, const struct track *t,
                         const char *what, const char *name)
{
    struct json *j = &sh->json;

    open_event(sh, "M", t, sh->begin);
    put_process(j, t->owner.runtime);
    put_name(j, "__metadata", what);
    open_args(j);
    json_key(j, "name");
    json_string(j, name);
    close_event(j, true);
}

/* Before the first event of a track. */
static void show_track(struct show *sh, struct track *t)
{
    static const char *const roles[] = {"thread", "worker", "watch", "offload"};
    const struct track_owner *o = &t->owner;
    unsigned number = o->role == EVENT_WORKER ? o->index : (unsigned)row_of(t);
    char text[64];

    t->shown = true;
    snprintf(text, sizeof(text), "roost%s%.31s",
             o->runtime_name[0] == '\0' ? "" : " ", o->runtime_name);
    put_metadata(sh, t, "process_name",
                 o->runtime == 0 ? "plain threads" : text);
    snprintf(text, sizeof(text), "%s %u", roles[o->role], number);
    put_metadata(sh, t, "thread_name",
                 o->role == EVENT_WATCH ? roles[EVENT_WATCH] : text);
}

void show_record(void *show, struct track *t, const struct record *r)
{
    struct show *sh = show;

    if (!t->shown) {
        show_track(sh, t);
    }
    switch (looks[r->kind].shape) {
    case BEGIN:
        put_begin(sh, t, r);
        break;
    case END:
    case LEAVE:
        put_end(sh, t, r);
        break;
    case MARK:
        put_mark(sh, t, r);
        break;
    case OPEN:
        put_event(sh, "b", t, r, r->level);
        break;
    case CLOSE:
        put_event(sh, "e", t, r, r->level);
        break;
    case COUNT:
        put_count(sh, t, r);
        break;
    case FLOW:
        put_arrow(sh, "f", t, r->time, r->b);
        break;
    }
}

/* --- begin and end --- */

void show_begin(struct show *sh, int fd)
{
    struct json *j = &sh->json;

    j->fd = fd;
    sh->begin = clock_now();
    json_open(j, '{');
    json_key(j, "displayTimeUnit");
    json_string(j, "ns");
    json_key(j, "traceEvents");
    json_open(j, '[');
}

static void put_counts(struct show *sh)
{
    struct json *j = &sh->json;
    unsigned kind;
    unsigned i;

    json_key(j, "events");
    json_open(j, '{');
    for (kind = 0; kind < RECORD_KINDS; kind++) {
        uint64_t n = 0;

        for (i = 0; i < TRACK_MAX; i++) {
            n += a64_load(&track_at(i)->counts[kind], RELAXED);
        }
        json_key(j, looks[kind].kind);
        json_number(j, n);
    }
    json_close(j, '}');
}

int show_end(struct show *sh)
{
    struct json *j = &sh->json;
    int64_t end = clock_now();
    uint64_t dropped = track_lost();
    unsigned i;

    for (i = 0; i < TRACK_MAX; i++) {
        struct track *t = track_at(i);

        end_slices(sh, t, end, 0);
        dropped += a32_load(&t->dropped, RELAXED);
    }
    json_close(j, ']');
    json_key(j, "otherData");
    json_open(j, '{');
    json_key(j, "dropped");
    json_number(j, dropped);
    json_key(j, "began at"); /* by CLOCK_MONOTONIC */
    json_number(j, (uint64_t)sh->begin);
    put_counts(sh);
    json_close(j, '}');
    json_close(j, '}');
    j->comma = false;
    json_line(j);
    return json_flush(j);
}
